CREATE OR REPLACE FUNCTION followup.figures_percentiles(p_histogram jsonb, OUT p50_ms numeric, OUT p99_ms numeric)
LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.round(1000 * h.p50, CASE WHEN h.p50 < 0.1 THEN 1 ELSE 0 END),
           pg_catalog.round(1000 * h.p99, CASE WHEN h.p99 < 0.1 THEN 1 ELSE 0 END)
      FROM (SELECT 1) AS one
      LEFT JOIN pg_catalog.jsonb_to_record(p_histogram) AS h(count bigint, p50 numeric, p99 numeric) ON h.count > 0
$$;
COMMENT ON FUNCTION followup.figures_percentiles(jsonb) IS
    'Median and 99th percentile, in milliseconds (to a tenth below 100), of a histogram as a worker reports it; NULL when it counted nothing.';
