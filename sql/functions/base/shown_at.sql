CREATE OR REPLACE FUNCTION followup.shown_at(p_at timestamptz, p_timezone text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN pg_catalog.isfinite(p_at) THEN pg_catalog.to_char(p_at AT TIME ZONE p_timezone, 'YYYY-MM-DD HH24:MI ') || p_timezone
                ELSE 'until somebody says when' END
$$;
COMMENT ON FUNCTION followup.shown_at(timestamptz, text) IS 'An instant as people read it, in a zone that the server knows.';
