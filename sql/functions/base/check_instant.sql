CREATE OR REPLACE FUNCTION followup.check_instant(p_function text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF NOT pg_catalog.isfinite(p_at) THEN
        RAISE EXCEPTION '%: p_at must be a finite instant, not %', p_function, p_at
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION followup.check_instant(text, timestamptz) IS 'Refuses (22023) infinity and -infinity; NULL is fine.';
