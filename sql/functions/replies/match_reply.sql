-- Whoever can name what only our mail carried has that mail: a signed token, a Message-ID, a provider's id. Ids that can be
-- counted up prove nothing by themselves; then the sender's address has to agree, and nothing may speak against it.
CREATE OR REPLACE FUNCTION followup.match_reply(p_account bigint, p_event jsonb) RETURNS followup.reply_match
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_from   text := pg_catalog.lower(p_event ->> 'from');
    v_sender text := pg_catalog.lower(p_event ->> 'sender');
    v_proved boolean := coalesce(p_event ->> 'dmarc' = 'pass'
                                 OR p_event ->> 'dmarc' IS NULL AND p_event ->> 'spf' = 'pass'
                                    AND pg_catalog.split_part(v_sender, '@', 2) = pg_catalog.split_part(v_from, '@', 2), false);
    v_forged boolean := coalesce(p_event ->> 'dmarc' = 'fail'
                                 OR p_event ->> 'dmarc' IS NULL AND p_event ->> 'spf' = 'fail' AND p_event ->> 'dkim' IS DISTINCT FROM 'pass', false);
    v_match  followup.reply_match;
BEGIN
    WITH named AS (     -- what the mail names, the surest first
        SELECT 1 AS rank, r.no, t.part[1] AS token, NULL::text AS id
          FROM pg_catalog.jsonb_array_elements_text(followup.as_array(p_event -> 'recipients')) WITH ORDINALITY AS r (address, no)
         CROSS JOIN LATERAL pg_catalog.regexp_match(pg_catalog.lower(r.address), '^(?:[^@]*\+)?r-(\d[^@+]*)(?:\+[^@]*)?@') AS t (part)
         WHERE r.no <= 50 AND t.part IS NOT NULL
        UNION ALL
        SELECT 2, 1, NULL, p_event ->> 'in_reply_to' WHERE p_event ->> 'in_reply_to' IS NOT NULL
        UNION ALL
        SELECT 3, -r.no, NULL, r.id
          FROM pg_catalog.jsonb_array_elements_text(followup.as_array(p_event -> 'references')) WITH ORDINALITY AS r (id, no)
    ), nearest AS (
        SELECT n.* FROM named AS n ORDER BY n.rank, n.no LIMIT 100
    ), found AS (
        SELECT n.rank, n.no, followup.signed_message(p_account, n.token) AS message_id, true AS signed
          FROM nearest AS n WHERE n.rank = 1
        UNION ALL       -- as they were before they were signed
        SELECT n.rank, n.no, t.ids[2]::bigint, false
          FROM nearest AS n, pg_catalog.regexp_match(n.token, '^(\d{1,18})-(\d{1,18})$') AS t (ids)
         WHERE n.rank = 1 AND t.ids[1]::bigint = p_account
        UNION ALL
        SELECT n.rank, n.no, m.id, n.id !~ '^\s*<fu-\d+-\d+@'
          FROM nearest AS n
         CROSS JOIN LATERAL pg_catalog.regexp_match(n.id, '^\s*<fu-(\d{1,18})-(\d{1,18})(?:-[0-9a-f]{28})?@') AS t (ids)
          JOIN followup.message AS m ON m.account_id = p_account AND m.id = t.ids[2]::bigint
         WHERE n.rank > 1 AND t.ids[1]::bigint = p_account AND m.rfc_message_id = pg_catalog.btrim(n.id)
        UNION ALL       -- Amazon SES and others write a Message-ID of their own: their id, before an @ of theirs
        SELECT n.rank, n.no, m.id, true
          FROM nearest AS n
          JOIN followup.message AS m
            ON m.account_id = p_account AND m.provider_message_id IS NOT NULL
           AND m.provider_message_id = ANY (ARRAY[pg_catalog.btrim(n.id), pg_catalog.btrim(n.id, ' <>'),
                                                  pg_catalog.split_part(pg_catalog.btrim(n.id, ' <>'), '@', 1)])
         WHERE n.rank > 1
    )
    SELECT f.message_id, m.lead_id, (ARRAY['token', 'in_reply_to', 'references'])[f.rank], true
      INTO v_match
      FROM found AS f
      JOIN followup.message AS m ON m.account_id = p_account AND m.id = f.message_id
      JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
     WHERE f.signed OR pg_catalog.lower(l.email) = v_from AND NOT v_forged
     ORDER BY f.rank, f.no, f.signed DESC LIMIT 1;
    IF v_match.lead_id IS NULL AND NOT v_forged THEN
        SELECT NULL, l.id, 'address', v_proved INTO v_match
          FROM followup.lead AS l WHERE l.account_id = p_account AND pg_catalog.lower(l.email) = v_from;
    END IF;
    RETURN v_match;
END
$$;
COMMENT ON FUNCTION followup.match_reply(bigint, jsonb) IS
    'Whose reply a mail is, by the first that holds: a signed token in a recipient (r-TOKEN@, with or without anything before or behind a plus); In-Reply-To; References from the last: each against our Message-IDs and the providers'' ids. A token or Message-ID of before they were signed counts only from the lead''s own address, and not when DMARC (or without it SPF, with no DKIM) says the address is forged. Last the address alone: its own lead, never another; proved when DMARC, or SPF for the same domain, passed. lead_id NULL: nobody.';
