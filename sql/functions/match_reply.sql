CREATE OR REPLACE FUNCTION followup.match_reply(p_account bigint, p_event jsonb) RETURNS followup.reply_match
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_match followup.reply_match;
BEGIN
    SELECT m.id, m.lead_id, 'token' INTO v_match
      FROM pg_catalog.jsonb_array_elements_text(p_event -> 'recipients') AS r (address)
     CROSS JOIN LATERAL pg_catalog.regexp_match(r.address, '^r-(\d{1,18})-(\d{1,18})@') AS t
      JOIN followup.message AS m ON m.account_id = p_account AND m.id = t[2]::bigint
     WHERE t[1]::bigint = p_account AND m.lead_id IS NOT NULL
     LIMIT 1;
    RETURN v_match;
END
$$;
COMMENT ON FUNCTION followup.match_reply(bigint, jsonb) IS 'Whose reply a mail is.';
