CREATE OR REPLACE FUNCTION followup.message_of_fu_id(p_account bigint, p_fu_id text) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_part text[] := pg_catalog.regexp_match(p_fu_id, '^([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,9})$');
BEGIN
    IF v_part[1]::bigint IS DISTINCT FROM p_account THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT m.id FROM followup.message AS m
             WHERE m.account_id = p_account AND m.id = v_part[2]::bigint AND m.attempts >= v_part[3]::integer);
END
$$;
COMMENT ON FUNCTION followup.message_of_fu_id(bigint, text) IS
    'The message that the echoed id <account>-<message>-<attempts> (decimal) names; NULL: another account''s, no such message, a key that was never used, or no id of ours at all.';
