CREATE OR REPLACE FUNCTION followup.engine_providers()
RETURNS TABLE (worker uuid, host text, provider text, breaker text, wait_seconds numeric, in_flight bigint, may_fly bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT f.worker, w.host, p.provider, (SELECT b.key FROM jsonb_each(p.provider_breaker) AS b WHERE b.value = '1'),
           round(p.provider_breaker_wait_seconds, 1), p.provider_in_flight, p.provider_window
      FROM followup.worker_figures AS f
      JOIN followup.worker AS w ON w.id = f.worker
     CROSS JOIN LATERAL jsonb_to_recordset(f.figures -> 'providers') AS p(
           provider text, provider_breaker jsonb, provider_breaker_wait_seconds numeric, provider_in_flight bigint,
           provider_window bigint)
     WHERE f.at > clock_timestamp() - interval '1 minute'
     ORDER BY w.host, f.worker, p.provider LIMIT 1600
$$;
COMMENT ON FUNCTION followup.engine_providers() IS
    'How the workers of the last minute see their providers: the breaker (closed: it sends, open: it rests, half_open: one message tries), real seconds until something may be posted (0: now), POSTs under way and how many may be.';
