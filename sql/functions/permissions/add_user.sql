CREATE OR REPLACE FUNCTION followup.add_user(
    p_account bigint, p_name text, p_email text, p_profile text = 'rep', p_phone text = NULL,
    p_actor bigint = NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_id        bigint;
    v_actor     followup.actor;
    v_complaint text := followup.address_complaint(p_email);
BEGIN
    PERFORM followup.require_account(p_account);
    v_actor := followup.require_permission(p_account, p_actor, 'users');
    IF coalesce(btrim(p_name), '') = '' THEN
        RAISE EXCEPTION 'name: is missing' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM followup.refuse_control_characters('name', p_name);
    PERFORM followup.refuse_control_characters('phone', p_phone);
    IF v_complaint IS NOT NULL THEN
        RAISE EXCEPTION 'email: %', v_complaint USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM followup.refuse_more_than_own(p_account, p_actor, followup.profile_permissions(p_account, p_profile));
    INSERT INTO followup.app_user (account_id, name, email, profile, phone)
    VALUES (p_account, btrim(p_name), p_email, p_profile, nullif(p_phone, ''))
        ON CONFLICT (account_id, lower(email)) DO NOTHING
    RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        RAISE EXCEPTION 'there is a user % already', p_email USING ERRCODE = 'unique_violation';
    END IF;
    INSERT INTO followup.activity (account_id, actor, action, detail, at)
    VALUES (p_account, v_actor.name, 'user_added', jsonb_build_object('id', v_id, 'name', btrim(p_name)), followup.now());
    RETURN v_id;
END
$$;
COMMENT ON FUNCTION followup.add_user(bigint, text, text, text, text, bigint) IS
    'A person who works in an account; answers the id. Refuses an address that is taken (23505), a bad address, an unknown profile or account (22023), an actor without the permission users, or who lacks something that the profile has (42501). Without a password nobody can sign in as this user yet.';
