CREATE OR REPLACE FUNCTION followup.actor_of(p_account bigint, p_actor bigint, p_permission text)
RETURNS followup.actor
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_actor followup.actor;
BEGIN
    IF NOT pg_catalog.pg_has_role(session_user, 'followup_admin', 'MEMBER') THEN
        IF p_actor IS NULL THEN
            RAISE EXCEPTION 'an actor is needed: % is not a member of followup_admin', session_user
                USING ERRCODE = 'insufficient_privilege';
        ELSIF nullif(pg_catalog.current_setting('followup.account', true), '')::bigint IS DISTINCT FROM p_account THEN
            RAISE EXCEPTION 'account % is not the account of this transaction (followup.account)', p_account
                USING ERRCODE = 'insufficient_privilege';
        END IF;
    ELSIF p_actor IS NULL THEN
        RETURN ROW('sql:' || session_user, 'sql:' || session_user, true, NULL)::followup.actor;
    END IF;
    SELECT 'user:' || u.id, u.name, p_permission = ANY (p.permissions),
           CASE WHEN NOT 'all_leads' = ANY (p.permissions) THEN u.id END
      INTO v_actor
      FROM followup.app_user AS u
      JOIN followup.profile AS p ON p.account_id = u.account_id AND p.name = u.profile
     WHERE u.account_id = p_account AND u.id = p_actor;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account % has no user %', p_account, p_actor USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN v_actor;
END
$$;
COMMENT ON FUNCTION followup.actor_of(bigint, bigint, text) IS
    'Who acts, and whether the profile holds the permission (skip, stop, ...; all_leads: not only own ones). Members of followup_admin may leave p_actor NULL, logged as sql:<session role>; others must name it and have set followup.account to this account (42501). An unknown user raises 22023.';
