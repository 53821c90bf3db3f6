CREATE OR REPLACE FUNCTION followup.renew_leases(p_worker uuid, p_shards integer[], p_epochs bigint[], p_ttl_ms bigint)
RETURNS TABLE (shard integer, epoch bigint, elsewhere boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    UPDATE followup.lease AS e
       SET expires_at = pg_catalog.clock_timestamp() + p_ttl_ms * '1 millisecond'::interval
      FROM unnest(p_shards, p_epochs) AS u(shard, epoch)
      LEFT JOIN followup.preferred_owners(p_worker, p_ttl_ms) AS p ON p.shard = u.shard
     WHERE e.shard = u.shard AND e.epoch = u.epoch AND e.owner = p_worker
    RETURNING e.shard, e.epoch, coalesce(p.worker <> p_worker, false);
    PERFORM followup.note_gap();    -- the database may have been away
END
$$;
COMMENT ON FUNCTION followup.renew_leases(uuid, integer[], bigint[], bigint) IS
    'Keeps shards for p_ttl_ms of real time from now. A shard that is not in the answer is lost: drop its timers. A lease that ran out and was taken by nobody is still ours. elsewhere: another living worker is preferred for it; release it when nothing of it is in flight.';
