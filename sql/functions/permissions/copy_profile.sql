CREATE OR REPLACE FUNCTION followup.copy_profile(p_account bigint, p_profile text, p_from text, p_actor bigint = NULL)
RETURNS text[]
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor       followup.actor := followup.require_permission(p_account, p_actor, 'grant_stop');
    v_permissions text[];
BEGIN
    PERFORM followup.require_account(p_account);
    IF coalesce(btrim(p_profile), '') = '' THEN
        RAISE EXCEPTION 'profile: is missing' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM followup.refuse_control_characters('profile', p_profile);
    v_permissions := followup.profile_permissions(p_account, p_from);
    PERFORM followup.refuse_more_than_own(p_account, p_actor, v_permissions);
    INSERT INTO followup.profile (account_id, name, copied_from, permissions)
    VALUES (p_account, btrim(p_profile), p_from, v_permissions)
        ON CONFLICT (account_id, name) DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is a profile "%" already', btrim(p_profile) USING ERRCODE = 'unique_violation';
    END IF;
    INSERT INTO followup.activity (account_id, actor, action, detail, at)
    VALUES (p_account, v_actor.name, 'profile_copied', jsonb_build_object('profile', btrim(p_profile), 'from', p_from), followup.now());
    RETURN v_permissions;
END
$$;
COMMENT ON FUNCTION followup.copy_profile(bigint, text, text, bigint) IS
    'A profile of the account with the permissions of another, which it answers; grant_permission changes it afterwards. For managers and administrators. Refuses a name that is taken (23505), an unknown profile or account, an empty name (22023), an actor without the permission grant_stop, or who lacks something that the profile has (42501).';
