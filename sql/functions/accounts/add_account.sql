CREATE OR REPLACE FUNCTION followup.add_account(
    p_name text, p_timezone text = 'UTC', p_noun text = 'lead', p_provider text = NULL, p_postal_address text = NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_id bigint;
BEGIN
    IF coalesce(btrim(p_name), '') = '' THEN
        RAISE EXCEPTION 'name: is missing' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM followup.refuse_control_characters('name', p_name);
    PERFORM followup.refuse_control_characters('provider', p_provider);
    IF NOT followup.known_timezone(p_timezone) IS TRUE THEN
        RAISE EXCEPTION 'timezone: "%" is not a zone that this server knows', p_timezone
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use an IANA name, such as Europe/Berlin.';
    END IF;
    IF p_noun NOT IN ('lead', 'customer') THEN
        RAISE EXCEPTION 'noun: "%" is neither lead nor customer', p_noun USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- The name has no unique index (a distributed table could not keep it), so two of one name wait for each other.
    PERFORM pg_advisory_xact_lock(hashtextextended('followup.account ' || lower(btrim(p_name)), 0));
    IF EXISTS (SELECT FROM followup.account AS a WHERE lower(a.name) = lower(btrim(p_name))) THEN
        RAISE EXCEPTION 'there is an account "%" already', btrim(p_name) USING ERRCODE = 'unique_violation';
    END IF;
    INSERT INTO followup.account (name, timezone, noun, provider, postal_address)
    VALUES (btrim(p_name), p_timezone, p_noun, nullif(p_provider, ''), nullif(p_postal_address, ''))
    RETURNING id INTO v_id;
    RETURN v_id;
END
$$;
COMMENT ON FUNCTION followup.add_account(text, text, text, text, text) IS
    'A new account with its built-in profiles; answers its id. Refuses a name that is taken, in any case of letters (23505), a missing name, an unknown zone or noun (22023). p_provider: NAME of a [provider.NAME]; p_postal_address: for the footer of messages.';
