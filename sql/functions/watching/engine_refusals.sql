CREATE OR REPLACE FUNCTION followup.engine_refusals(p_window interval = '10 minutes')
RETURNS TABLE (provider text, outcome followup.attempt_outcome, http_status integer, times bigint, seconds_ago numeric, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    v_real  timestamptz := pg_catalog.clock_timestamp();
    v_since timestamptz := v_real - least(p_window, interval '1 hour');
BEGIN
    RETURN QUERY
    SELECT coalesce(m.provider, '(default)'), t.outcome, t.http_status, count(*),
           round(extract(epoch FROM v_real - max(t.ended_at)), 0),
           (array_agg(t.detail ORDER BY t.ended_at DESC))[1]
      FROM followup.attempt AS t
      JOIN followup.message AS m ON m.account_id = t.account_id AND m.id = t.message_id
     WHERE t.ended_at > v_since AND t.outcome <> 'sent'
     GROUP BY 1, 2, 3 ORDER BY max(t.ended_at) DESC LIMIT 20;
END
$$;
COMMENT ON FUNCTION followup.engine_refusals(interval) IS
    'POSTs of the last p_window (real, at most an hour) that were not sent, by provider, outcome and HTTP status, the latest first, with the latest detail; at most 20 rows. Why a provider rests; engine_providers says whether it does.';
