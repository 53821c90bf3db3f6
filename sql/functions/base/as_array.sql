CREATE OR REPLACE FUNCTION followup.as_array(p_value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE pg_catalog.jsonb_typeof(p_value) WHEN 'array' THEN p_value ELSE '[]' END
$$;
COMMENT ON FUNCTION followup.as_array(jsonb) IS 'The value if it is an array, else an empty one: what comes from outside may be anything.';
