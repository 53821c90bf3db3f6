CREATE OR REPLACE FUNCTION followup.add_assistant(
    p_account bigint, p_name text, p_from_address text, p_title text = NULL, p_reply_domain text = NULL,
    p_signature text = NULL, p_provider text = NULL, p_daily_cap integer = NULL,
    p_actor bigint = NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_id        bigint;
    v_actor     followup.actor;
    v_complaint text := followup.address_complaint(p_from_address);
BEGIN
    PERFORM followup.require_account(p_account);
    v_actor := followup.require_permission(p_account, p_actor, 'rules');
    IF coalesce(btrim(p_name), '') = '' THEN
        RAISE EXCEPTION 'name: is missing' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM followup.refuse_control_characters('name', p_name);
    PERFORM followup.refuse_control_characters('title', p_title);
    PERFORM followup.refuse_control_characters('provider', p_provider);
    IF v_complaint IS NOT NULL THEN
        RAISE EXCEPTION 'from_address: %', v_complaint USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_reply_domain !~ '^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$' THEN
        RAISE EXCEPTION 'reply_domain: "%" is not a domain', p_reply_domain USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_daily_cap <= 0 THEN
        RAISE EXCEPTION 'daily_cap: must be above 0' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO followup.assistant (account_id, name, title, from_address, reply_domain, signature, provider, daily_cap)
    VALUES (p_account, btrim(p_name), nullif(p_title, ''), p_from_address, p_reply_domain, p_signature,
            nullif(p_provider, ''), p_daily_cap)
        ON CONFLICT (account_id, name) WHERE name IS NOT NULL DO NOTHING
    RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        RAISE EXCEPTION 'there is an assistant "%" already', btrim(p_name) USING ERRCODE = 'unique_violation';
    END IF;
    INSERT INTO followup.activity (account_id, actor, action, detail, at)
    VALUES (p_account, v_actor.name, 'assistant_added', jsonb_build_object('id', v_id, 'name', btrim(p_name)), followup.now());
    RETURN v_id;
END
$$;
COMMENT ON FUNCTION followup.add_assistant(bigint, text, text, text, text, text, text, integer, bigint) IS
    'The persona who writes; answers the id. p_reply_domain: a domain whose mail comes to us, so that each message can have its own reply address; p_daily_cap: messages a day, NULL: no cap. Refuses a name that is taken (23505) and bad values (22023), naming the field.';
