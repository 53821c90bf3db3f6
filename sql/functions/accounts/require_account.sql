CREATE OR REPLACE FUNCTION followup.require_account(p_account bigint) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM followup.account AS a WHERE a.id = p_account) THEN
        RAISE EXCEPTION 'there is no account %', coalesce(p_account::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION followup.require_account(bigint) IS 'Refuses (22023) an id that is no account''s.';
