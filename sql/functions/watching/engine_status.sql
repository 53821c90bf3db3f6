CREATE OR REPLACE FUNCTION followup.engine_status()
RETURNS TABLE (worker uuid, host text, alive boolean, draining boolean, beat_seconds numeric, shards bigint,
               lease_seconds numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT w.id, w.host, coalesce(l.shards, 0) > 0, w.draining,
           round(extract(epoch FROM clock_timestamp() - w.beat_at), 1), coalesce(l.shards, 0),
           round(extract(epoch FROM l.expires_at - clock_timestamp()), 1)
      FROM followup.worker AS w
      LEFT JOIN (SELECT e.owner, count(*) AS shards, min(e.expires_at) AS expires_at
                   FROM followup.lease AS e WHERE e.expires_at > clock_timestamp() GROUP BY 1) AS l ON l.owner = w.id
     WHERE l.owner IS NOT NULL OR w.beat_at > clock_timestamp() - interval '1 day'
     ORDER BY l.owner IS NULL, w.beat_at DESC LIMIT 100
$$;
COMMENT ON FUNCTION followup.engine_status() IS
    'The workers of the last day: alive is owning shards under a lease that has not run out (64 shards in all); seconds are real.';
