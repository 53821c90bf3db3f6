CREATE OR REPLACE FUNCTION followup.engine_due()
RETURNS TABLE (business timestamptz, rate double precision, overdue bigint, due_minute bigint, due_hour bigint,
               due_day bigint, next_due_at timestamptz, in_flight bigint, waiting bigint, next_retry_at timestamptz, in_doubt bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now    timestamptz;
    v_rate   double precision;
    v_shards integer[] := ARRAY(SELECT generate_series(0, 63));
BEGIN
    SELECT k.business, k.rate INTO v_now, v_rate FROM followup.clock() AS k;
    RETURN QUERY
    SELECT v_now, v_rate, q.overdue, q.due_minute, q.due_hour, q.due_day,
           -- One look-up a shard: what comes next may be further away than a day.
           (SELECT min(n.due_at) FROM unnest(v_shards) AS s(shard)
             CROSS JOIN LATERAL (SELECT m.due_at FROM followup.message AS m
                                  WHERE m.shard = s.shard AND m.queued AND m.due_at >= v_now ORDER BY m.due_at LIMIT 1) AS n),
           q.in_flight, q.waiting, q.next_retry_at,
           (SELECT count(*) FROM followup.message AS m WHERE m.shard = ANY (v_shards) AND m.pending AND NOT m.queued)
      FROM (SELECT count(*) FILTER (WHERE m.state = 'scheduled' AND m.due_at < v_now) AS overdue,
                   count(*) FILTER (WHERE m.state = 'scheduled' AND m.due_at < v_now + interval '1 minute') AS due_minute,
                   count(*) FILTER (WHERE m.state = 'scheduled' AND m.due_at < v_now + interval '1 hour') AS due_hour,
                   count(*) FILTER (WHERE m.state = 'scheduled') AS due_day,
                   count(*) FILTER (WHERE m.state = 'sending') AS in_flight,
                   count(*) FILTER (WHERE m.state = 'scheduled' AND m.attempts > 0) AS waiting,
                   min(m.due_at) FILTER (WHERE m.state = 'scheduled' AND m.attempts > 0 AND m.due_at >= v_now) AS next_retry_at
              FROM followup.message AS m
             WHERE m.shard = ANY (v_shards) AND m.queued AND m.due_at < v_now + interval '1 day') AS q;
END
$$;
COMMENT ON FUNCTION followup.engine_due() IS
    'What all accounts have to send, business time: overdue (paused accounts count too), due within a minute, an hour and a day (what is overdue counts in each), in flight, waiting (tried before and not sent: in a back-off) and in doubt. Cost: the queue of one day, by its index.';
