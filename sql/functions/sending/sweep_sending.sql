CREATE OR REPLACE FUNCTION followup.sweep_sending(
    p_worker uuid, p_shards integer[], p_epochs bigint[], p_in_flight_accounts bigint[], p_in_flight_messages bigint[],
    p_mark bigint, p_grace_ms bigint, p_limit integer)
RETURNS TABLE (account_id bigint, message_id bigint, due_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET followup.quiet = 'on'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
DECLARE
    v_real     timestamptz := pg_catalog.clock_timestamp();
    v_now      timestamptz := followup.now();
    v_shards   integer[];
    v_accounts bigint[];
    v_messages bigint[];
BEGIN
    PERFORM followup.require_read_committed();
    -- Mostly all that is `sending` was just claimed by this worker: one look tells, before anything is locked.
    IF NOT EXISTS (SELECT FROM followup.message AS m
                    WHERE m.shard = ANY (p_shards) AND m.queued AND m.due_at <= v_now AND m.state = 'sending'
                      AND (m.claimed_by <> p_worker OR m.claimed_at < v_real - p_grace_ms * '1 millisecond'::interval
                           OR m.epoch <> p_epochs[pg_catalog.array_position(p_shards, m.shard)])) THEN
        RETURN;
    END IF;
    v_shards := followup.lock_leases(p_worker, p_shards, p_epochs, NULL);
    PERFORM followup.doubt_orphans(v_shards, p_limit);
    SELECT pg_catalog.array_agg(k.account_id), pg_catalog.array_agg(k.id) INTO v_accounts, v_messages
      FROM (SELECT m.account_id, m.id
              FROM followup.message AS m
              JOIN followup.lease AS e ON e.shard = m.shard
             WHERE m.shard = ANY (v_shards) AND m.queued AND m.due_at <= followup.now() AND m.state = 'sending'
               AND m.claimed_by = p_worker AND m.epoch = e.epoch AND m.claim_seq <= p_mark
               AND m.claimed_at < v_real - p_grace_ms * '1 millisecond'::interval
               AND NOT EXISTS (SELECT FROM unnest(p_in_flight_accounts, p_in_flight_messages) AS f(account_id, id)
                                WHERE f.account_id = m.account_id AND f.id = m.id)
             LIMIT p_limit
               FOR NO KEY UPDATE OF m SKIP LOCKED) AS k;
    RETURN QUERY SELECT b.account_id, b.message_id, b.due_at FROM followup.take_back(v_accounts, v_messages) AS b;
END
$$;
COMMENT ON FUNCTION followup.sweep_sending(uuid, integer[], bigint[], bigint[], bigint[], bigint, bigint, integer) IS
    'Finds `sending` messages of the worker''s shards that nobody works on, at most p_limit of each kind. Claimed under an older epoch: in_doubt. Claimed by this worker at this epoch, no later than p_mark and more than p_grace_ms (real) ago, and not among p_in_flight_*: its claim''s answer was lost, nothing was posted, taken back. p_in_flight_* must name all that the worker asked to claim and has no answer for, all that it is posting, and all whose result is not recorded yet; p_mark is an answer of claim_mark() from before that list was made, because this statement may run long after it and must not judge what was claimed in between. Answers what is scheduled again. Reads the index of what is overdue, so its cost grows with the backlog.';
