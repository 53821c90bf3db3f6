CREATE OR REPLACE FUNCTION followup.doubt_orphans(p_shards integer[], p_limit integer) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_until timestamptz;
    v_count integer;
BEGIN
    -- A message keeps its due time while it is sending, so the index needs to be read up to what may have been claimed.
    SELECT followup.claimed_until(k.business, k.rate) INTO v_until FROM followup.clock() AS k;
    WITH orphan AS MATERIALIZED (
        SELECT m.account_id, m.id
          FROM followup.message AS m
          JOIN followup.lease AS e ON e.shard = m.shard
         WHERE m.shard = ANY (p_shards) AND m.queued AND m.due_at <= v_until
           AND m.state = 'sending' AND m.epoch < e.epoch
         LIMIT p_limit
           FOR NO KEY UPDATE OF m SKIP LOCKED)
    UPDATE followup.message AS m SET state = 'in_doubt'
      FROM orphan AS o
     WHERE m.account_id = o.account_id AND m.id = o.id AND m.state = 'sending';
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION followup.doubt_orphans(integer[], integer) IS
    'Internal: sending -> in_doubt for messages of these shards that were claimed under an older epoch than the lease has; at most p_limit (NULL: all). The message keeps its epoch, so that a late result still finds it.';
