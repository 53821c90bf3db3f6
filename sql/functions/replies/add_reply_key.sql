CREATE OR REPLACE FUNCTION followup.add_reply_key(p_secret bytea = NULL) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_secret bytea := p_secret;
    v_inner  bytea;
    v_outer  bytea;
BEGIN
    IF v_secret IS NULL THEN    -- 244 bits of the server's strong random numbers
        v_secret := pg_catalog.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) || pg_catalog.uuid_send(pg_catalog.gen_random_uuid()));
    ELSIF pg_catalog.length(v_secret) NOT BETWEEN 16 AND 64 THEN
        RAISE EXCEPTION 'add_reply_key: a secret has 16 to 64 bytes' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    v_inner := pg_catalog.decode(pg_catalog.repeat('36', 64), 'hex');
    v_outer := pg_catalog.decode(pg_catalog.repeat('5c', 64), 'hex');
    FOR i IN 0 .. pg_catalog.length(v_secret) - 1 LOOP
        v_inner := pg_catalog.set_byte(v_inner, i, pg_catalog.get_byte(v_inner, i) # pg_catalog.get_byte(v_secret, i));
        v_outer := pg_catalog.set_byte(v_outer, i, pg_catalog.get_byte(v_outer, i) # pg_catalog.get_byte(v_secret, i));
    END LOOP;
    INSERT INTO followup.reply_key (inner_key, outer_key) VALUES (v_inner, v_outer);
END
$$;
COMMENT ON FUNCTION followup.add_reply_key(bytea) IS
    'Internal: a secret that signs reply addresses from now on; those signed before stay valid until its row is deleted from reply_key. NULL: a random one. The two padded keys of HMAC are kept, so that a token costs two hashes. Raises 22023 for a secret shorter than 16 or longer than 64 bytes.';
