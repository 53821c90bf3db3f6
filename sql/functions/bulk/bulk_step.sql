CREATE OR REPLACE FUNCTION followup.bulk_step(p_worker uuid, p_shards integer[], p_epochs bigint[])
RETURNS TABLE (account_id bigint, bulk_id bigint, more boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The lease only shares the work out: the bulk's own lock is what keeps two from doing it.
    SELECT b.account_id, b.id INTO bulk_step.account_id, bulk_step.bulk_id
      FROM followup.bulk AS b
     WHERE b.state IN ('running', 'undoing') AND (b.run_at IS NULL OR b.run_at <= followup.now() OR b.state = 'undoing')
       AND followup.shard_of(b.account_id) IN (
               SELECT e.shard FROM followup.lease AS e
                 JOIN unnest(p_shards, p_epochs) AS u (shard, epoch) ON u.shard = e.shard AND u.epoch = e.epoch
                WHERE e.owner = p_worker)
     ORDER BY b.worked_at NULLS FIRST, b.account_id, b.id
     LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
    IF FOUND THEN
        more := followup.bulk_work(bulk_step.account_id, bulk_step.bulk_id);
        RETURN NEXT;
    END IF;
END
$$;
COMMENT ON FUNCTION followup.bulk_step(uuid, integer[], bigint[]) IS
    'For the daemon: one chunk of one committed bulk of the shards that the worker owns at these epochs (parallel arrays), the one that waited longest. No row: there is none, or others are at it. more false: that bulk has ended.';
