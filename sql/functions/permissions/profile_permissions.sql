CREATE OR REPLACE FUNCTION followup.profile_permissions(p_account bigint, p_profile text) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_permissions text[];
BEGIN
    SELECT p.permissions INTO v_permissions FROM followup.profile AS p WHERE p.account_id = p_account AND p.name = p_profile;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'profile: there is no profile "%"', p_profile
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'This account has ' || (SELECT string_agg(p.name, ', ' ORDER BY p.name)
                                                   FROM followup.profile AS p WHERE p.account_id = p_account) || '.';
    END IF;
    RETURN v_permissions;
END
$$;
COMMENT ON FUNCTION followup.profile_permissions(bigint, text) IS
    'Internal: what the profile may do; refuses (22023) an unknown one, with the names that there are.';
