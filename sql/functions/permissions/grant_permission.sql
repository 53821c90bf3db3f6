CREATE OR REPLACE FUNCTION followup.grant_permission(
    p_account bigint, p_profile text, p_permission text, p_granted boolean = true, p_actor bigint = NULL)
RETURNS text[]
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor       followup.actor := followup.require_permission(p_account, p_actor, CASE p_permission WHEN 'stop' THEN 'grant_stop' ELSE 'users' END);
    v_permissions text[];
BEGIN
    PERFORM followup.require_account(p_account);
    PERFORM followup.profile_permissions(p_account, p_profile);
    IF NOT EXISTS (SELECT FROM followup.builtin_profiles() AS b WHERE p_permission = ANY (b.permissions)) THEN
        RAISE EXCEPTION 'permission: there is none called "%"', p_permission
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = (SELECT string_agg(DISTINCT w.permission, ', ') FROM followup.builtin_profiles() AS b, unnest(b.permissions) AS w (permission));
    END IF;
    PERFORM followup.refuse_more_than_own(p_account, p_actor, ARRAY[p_permission]);
    UPDATE followup.profile AS p
       SET permissions = CASE WHEN p_granted THEN pg_catalog.array_remove(p.permissions, p_permission) || p_permission
                              ELSE pg_catalog.array_remove(p.permissions, p_permission) END
     WHERE p.account_id = p_account AND p.name = p_profile AND NOT p.builtin
    RETURNING p.permissions INTO v_permissions;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'profile "%" is built in and stays as it is', p_profile
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Copy it (copy_profile), and give its users the copy.';
    END IF;
    INSERT INTO followup.activity (account_id, actor, action, detail, at)
    VALUES (p_account, v_actor.name, CASE WHEN p_granted THEN 'permission_granted' ELSE 'permission_revoked' END,
            jsonb_build_object('profile', p_profile, 'permission', p_permission), followup.now());
    RETURN v_permissions;
END
$$;
COMMENT ON FUNCTION followup.grant_permission(bigint, text, text, boolean, bigint) IS
    'Grants a permission to a profile, or takes it away (p_granted false); answers what the profile may do now. Managers and administrators grant stop, administrators all. Refuses what the actor lacks, and an actor who may not grant it (42501); a built-in profile, an unknown profile, permission or account (22023).';
