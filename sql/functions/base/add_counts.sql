CREATE OR REPLACE FUNCTION followup.add_counts(p_one jsonb, p_other jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(pg_catalog.jsonb_object_agg(s.key, s.count), '{}')
      FROM (SELECT c.key, sum(c.value::bigint) AS count
              FROM (SELECT * FROM pg_catalog.jsonb_each_text(p_one)
                    UNION ALL SELECT * FROM pg_catalog.jsonb_each_text(p_other)) AS c (key, value)
             GROUP BY c.key) AS s
$$;
COMMENT ON FUNCTION followup.add_counts(jsonb, jsonb) IS 'Two objects {reason: leads} added up; NULL counts nothing.';
