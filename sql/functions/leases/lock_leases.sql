CREATE OR REPLACE FUNCTION followup.lock_leases(
    p_worker uuid, p_shards integer[], p_epochs bigint[], p_accounts bigint[])
RETURNS integer[]
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF pg_catalog.current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM followup.require_read_committed();
    END IF;
    -- FOR KEY SHARE, which a takeover's FOR UPDATE waits for and is waited for by: whoever comes second sees the
    -- other's commit. An EXISTS would read a snapshot and let an old epoch through around a takeover.
    RETURN ARRAY(
        SELECT e.shard
          FROM followup.lease AS e
         WHERE e.shard = ANY (CASE WHEN p_accounts IS NULL THEN p_shards
                                   ELSE ARRAY(SELECT followup.shard_of(a.id) FROM unnest(p_accounts) AS a(id)) END)
           AND e.owner = p_worker AND e.epoch = p_epochs[pg_catalog.array_position(p_shards, e.shard)]
         ORDER BY e.shard
           FOR KEY SHARE OF e);
END
$$;
COMMENT ON FUNCTION followup.lock_leases(uuid, integer[], bigint[], bigint[]) IS
    'Locks until commit, and answers, those of these shards that the worker still owns at these epochs (parallel arrays), of these accounts'' shards only unless p_accounts is NULL. Ownership is the row''s owner and epoch, never a time. Refuses (25000) any isolation level but READ COMMITTED.';
