CREATE OR REPLACE FUNCTION followup.preferred_owners(p_worker uuid, p_ttl_ms bigint)
RETURNS TABLE (shard integer, worker uuid)
LANGUAGE sql STABLE AS $$
    -- Rendezvous hashing: a worker that comes or goes moves its own share of the shards and no others.
    -- A worker beats before it renews, so when a lease runs out its owner is no longer among the living either.
    SELECT DISTINCT ON (e.shard) e.shard, w.id
      FROM followup.lease AS e
     CROSS JOIN followup.worker AS w
     WHERE NOT w.draining
       AND (w.id = p_worker OR w.beat_at > pg_catalog.clock_timestamp() - p_ttl_ms * '1 millisecond'::interval)
     ORDER BY e.shard, pg_catalog.hashtextextended(w.id::text, e.shard) DESC, w.id
$$;
COMMENT ON FUNCTION followup.preferred_owners(uuid, bigint) IS
    'Internal: the worker that each shard should be with, among p_worker, who asks, and those that beat within a lease''s time (p_ttl_ms, real), none of them draining; a shard has no row when there is no such worker. A hint: what a worker may do is decided by the lease row alone.';
