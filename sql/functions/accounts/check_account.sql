CREATE OR REPLACE FUNCTION followup.check_account(p_account bigint) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT pg_catalog.pg_has_role(session_user, 'followup_admin', 'MEMBER')
       AND NOT pg_catalog.pg_has_role(session_user, 'followup_engine', 'MEMBER')
       AND nullif(pg_catalog.current_setting('followup.account', true), '')::bigint IS DISTINCT FROM p_account THEN
        RAISE EXCEPTION 'account % is not the account of this transaction (followup.account)', p_account
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;
COMMENT ON FUNCTION followup.check_account(bigint) IS
    'Refuses (42501) any account but that of followup.account, to everybody who is neither followup_admin nor followup_engine. For functions that need no actor.';
