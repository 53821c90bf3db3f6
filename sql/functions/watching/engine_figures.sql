CREATE OR REPLACE FUNCTION followup.engine_figures()
RETURNS TABLE (worker uuid, host text, report_seconds numeric, in_flight bigint, results_waiting bigint,
               late_p50_ms numeric, late_p99_ms numeric, claim_p50_ms numeric, claim_p99_ms numeric,
               send_p50_ms numeric, send_p99_ms numeric, record_p50_ms numeric, record_p99_ms numeric,
               wheel_messages bigint, wheel_stale bigint, wheel_mb numeric, wheel_pause_ms numeric, loop_turn_ms numeric,
               swept bigint, notify_age_seconds numeric, cpu_seconds numeric, memory_mb numeric, figures jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT f.worker, w.host, round(extract(epoch FROM clock_timestamp() - f.at), 1), n.in_flight, n.results_waiting,
           late.p50_ms, late.p99_ms, claim.p50_ms, claim.p99_ms, send.p50_ms, send.p99_ms, record.p50_ms, record.p99_ms,
           n.wheel_messages, n.wheel_stale_copies, round(n.wheel_bytes / 1e6, 1), round(1000 * n.wheel_pause_recent_max_seconds, 3),
           round(1000 * n.loop_turn_recent_max_seconds, 1), n.sweep_found_total, round(n.notify_age_seconds, 1),
           round(n.process_cpu_seconds_total, 1), round(n.process_resident_memory_bytes / 1e6, 1), f.figures
      FROM followup.worker_figures AS f
      JOIN followup.worker AS w ON w.id = f.worker
     CROSS JOIN LATERAL jsonb_to_record(f.figures) AS n(
           in_flight bigint, results_waiting bigint, wheel_messages bigint, wheel_stale_copies bigint, wheel_bytes numeric,
           wheel_pause_recent_max_seconds numeric, loop_turn_recent_max_seconds numeric, sweep_found_total bigint,
           notify_age_seconds numeric, process_cpu_seconds_total numeric, process_resident_memory_bytes numeric)
     CROSS JOIN LATERAL followup.figures_percentiles(f.figures -> 'lateness_seconds') AS late
     CROSS JOIN LATERAL followup.figures_percentiles(f.figures -> 'claim_seconds') AS claim
     CROSS JOIN LATERAL followup.figures_percentiles(f.figures -> 'send_seconds') AS send
     CROSS JOIN LATERAL followup.figures_percentiles(f.figures -> 'record_seconds') AS record
     WHERE f.at > clock_timestamp() - interval '1 minute'
     ORDER BY w.host, f.worker LIMIT 100
$$;
COMMENT ON FUNCTION followup.engine_figures() IS
    'What the workers said of themselves in the last minute, a row each (at most 100): report_seconds is its age; percentiles and longest pauses are those of the last one to two minutes, milliseconds of real time, NULL when there was nothing; figures has all that /metrics has.';
