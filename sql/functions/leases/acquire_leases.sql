CREATE OR REPLACE FUNCTION followup.acquire_leases(p_worker uuid, p_former uuid, p_ttl_ms bigint)
RETURNS TABLE (shard integer, epoch bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET followup.quiet = 'on'
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    v_shards integer[];
BEGIN
    PERFORM followup.require_read_committed();
    DELETE FROM followup.worker AS w WHERE w.id = p_former; -- dead: nothing is to be left for it
    -- FOR UPDATE waits out no claim: a lease whose owner is in the middle of one is taken a beat later.
    v_shards := ARRAY(
        SELECT e.shard FROM followup.lease AS e
          LEFT JOIN followup.preferred_owners(p_worker, p_ttl_ms) AS p ON p.shard = e.shard
         WHERE e.owner = p_former
            OR e.expires_at < pg_catalog.clock_timestamp() - CASE WHEN p.worker <> p_worker
                   THEN p_ttl_ms * '1 millisecond'::interval ELSE '0' END
         ORDER BY e.shard
           FOR UPDATE OF e SKIP LOCKED);
    IF pg_catalog.cardinality(v_shards) = 0 THEN
        RETURN;
    END IF;
    RETURN QUERY
    UPDATE followup.lease AS e
       SET owner = p_worker, epoch = e.epoch + 1,
           expires_at = pg_catalog.clock_timestamp() + p_ttl_ms * '1 millisecond'::interval
     WHERE e.shard = ANY (v_shards)
    RETURNING e.shard, e.epoch;
    PERFORM followup.doubt_orphans(v_shards, NULL);
    PERFORM followup.note_gap();
END
$$;
COMMENT ON FUNCTION followup.acquire_leases(uuid, uuid, bigint) IS
    'Takes every shard whose lease has expired and for which this worker is preferred (preferred_owners), or nobody is, or whoever is has not come within p_ttl_ms; and at once those of p_former (a worker known to be dead; NULL: none). For p_ttl_ms of real time. A row is a shard gained, with its new epoch. What the former owner was sending is in doubt from then on. A lease that is being claimed under is left for the next call.';
