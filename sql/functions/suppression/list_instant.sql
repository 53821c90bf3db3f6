CREATE OR REPLACE FUNCTION followup.list_instant(p_at jsonb) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE pg_catalog.jsonb_typeof(p_at) WHEN 'number' THEN pg_catalog.to_timestamp((p_at #>> '{}')::double precision)
                                              WHEN 'string' THEN (p_at #>> '{}')::timestamptz END;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.list_instant(jsonb) IS
    'When an entry of a suppression list was made: seconds since 1970, or a date as RFC 3339 or RFC 2822 write it; NULL for anything else.';
