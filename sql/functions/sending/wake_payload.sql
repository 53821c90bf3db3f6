CREATE OR REPLACE FUNCTION followup.wake_payload(p_accounts bigint[], p_messages bigint[], p_dues timestamptz[]) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_text text;
BEGIN
    SELECT 'm ' || pg_catalog.string_agg(
               u.account_id || ' ' || u.id || ' ' || coalesce(
                   pg_catalog.trunc(extract(epoch FROM u.due_at) * 1000000)::bigint::text, '-'), ','
               ORDER BY u.account_id, u.id)
      INTO v_text
      FROM unnest(p_accounts, p_messages, p_dues) AS u(account_id, id, due_at);
    RETURN CASE WHEN pg_catalog.octet_length(v_text) <= 7900 THEN v_text END;
END
$$;
COMMENT ON FUNCTION followup.wake_payload(bigint[], bigint[], timestamptz[]) IS
    'The NOTIFY text that names messages: "m <account> <id> <due>,...", due in microseconds since 1970 of business time, or - when it is no longer scheduled (due NULL). NULL: nothing to say, or over 7900 bytes.';
