CREATE OR REPLACE FUNCTION followup.engine_lateness(p_window interval = '1 minute')
RETURNS TABLE (posts bigint, sent bigint, sent_per_s numeric, rejected bigint, retry bigint, in_doubt bigint,
               late_p50_ms numeric, late_p99_ms numeric, late_max_ms numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    v_real  timestamptz := pg_catalog.clock_timestamp();
    v_now   timestamptz;
    v_rate  double precision;
    v_since timestamptz := v_real - least(p_window, interval '1 hour');
BEGIN
    IF p_window IS NULL OR p_window <= interval '0' THEN
        RAISE EXCEPTION 'engine_lateness: the window must be longer than nothing' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT k.business, k.rate INTO v_now, v_rate FROM followup.clock() AS k;
    RETURN QUERY
    WITH ended AS (
        SELECT t.outcome,
               -- Of what left at its first try: a later one is late on purpose.
               CASE WHEN t.outcome = 'sent' AND t.no = 1 AND t.post = 1
                    THEN 1000 * (extract(epoch FROM v_now - m.due_at) / v_rate - extract(epoch FROM v_real - t.started_at)) END AS late_ms
          FROM followup.attempt AS t
          JOIN followup.message AS m ON m.account_id = t.account_id AND m.id = t.message_id
         WHERE t.ended_at > v_since)
    SELECT count(*), count(*) FILTER (WHERE e.outcome = 'sent'),
           round(count(*) FILTER (WHERE e.outcome = 'sent') / extract(epoch FROM v_real - v_since)::numeric, 1),
           count(*) FILTER (WHERE e.outcome = 'rejected'), count(*) FILTER (WHERE e.outcome = 'retry'),
           count(*) FILTER (WHERE e.outcome = 'in_doubt'),
           round((percentile_disc(0.5) WITHIN GROUP (ORDER BY e.late_ms))::numeric, 1),
           round((percentile_disc(0.99) WITHIN GROUP (ORDER BY e.late_ms))::numeric, 1),
           round(max(e.late_ms)::numeric, 1)
      FROM ended AS e;
END
$$;
COMMENT ON FUNCTION followup.engine_lateness(interval) IS
    'What the POSTs that ended within p_window (real, at most an hour) came to, and how late those began that were sent at their first try: milliseconds of real time after due. Lateness is NULL when there was none. Cost: the attempts of the window, by attempt_ended; refuses (22023) an empty window.';
