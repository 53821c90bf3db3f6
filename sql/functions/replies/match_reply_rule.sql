CREATE OR REPLACE FUNCTION followup.match_reply_rule(
    p_account bigint, p_follow_up_left boolean, p_from text, p_subject text, p_body text)
RETURNS followup.reply_rule
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_bare boolean;
    v_rule followup.reply_rule;
BEGIN
    v_bare := followup.bare_yes(followup.plain_text(pg_catalog.left(p_body, 4000)));
    WITH field AS MATERIALIZED (    -- once for all rules
        SELECT f.name, f.raw, t.plain, ' ' || followup.sentence_words(t.plain) || ' ' AS words
          FROM (VALUES ('from', p_from), ('subject', p_subject), ('body', pg_catalog.left(p_body, 4000))) AS f (name, raw)
         CROSS JOIN LATERAL (SELECT followup.plain_text(f.raw) AS plain OFFSET 0) AS t
    ), candidate AS MATERIALIZED (  -- most rules have a word that the text has not
        SELECT r.id, r.position, r.kind, r.pattern, f.plain, f.words
          FROM followup.reply_rule AS r
          JOIN field AS f ON f.name = r.field
         WHERE r.account_id = p_account AND (r.applies = 'any' OR (r.applies = 'after_follow_up') = p_follow_up_left)
           AND NOT (v_bare AND r.outcome = 'satisfied')
           AND CASE r.kind WHEN 'substring' THEN pg_catalog.strpos(lower(f.raw), lower(r.pattern)) > 0
                           WHEN 'words' THEN NOT EXISTS (SELECT FROM unnest(r.needs) AS n
                                                          WHERE NOT f.words LIKE ANY (pg_catalog.string_to_array(n, '|')))
                           ELSE true END
    )
    SELECT r.* INTO v_rule
      FROM candidate AS c
      JOIN followup.reply_rule AS r ON r.account_id = p_account AND r.id = c.id
     WHERE CASE c.kind WHEN 'words' THEN c.words ~ followup.words_pattern(c.pattern) WHEN 'regex' THEN c.plain ~ c.pattern ELSE true END
     ORDER BY c.position, c.id LIMIT 1;
    RETURN v_rule;
END
$$;
COMMENT ON FUNCTION followup.match_reply_rule(bigint, boolean, text, text, text) IS
    'The first rule of the account, by position, that matches its field; NULL: none. substring: anywhere, in any case of letters; words: as words_pattern; regex: over plain_text. Of the body the first 4,000 characters count. A bare "yes" is never satisfied, whatever a rule says.';
