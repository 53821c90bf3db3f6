CREATE OR REPLACE FUNCTION followup.settle_by_policy(
    p_worker uuid, p_shards integer[], p_epochs bigint[], p_policy_after_ms bigint, p_limit integer)
RETURNS TABLE (account_id bigint, message_id bigint, due_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET followup.quiet = 'on'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_real     timestamptz := pg_catalog.clock_timestamp();
    v_before   timestamptz := v_real - p_policy_after_ms * '1 millisecond'::interval;
    v_shards   integer[];
    v_accounts bigint[];
    v_messages bigint[];
    v_free     bigint[];
BEGIN
    PERFORM followup.require_read_committed();
    -- Mostly nothing is in doubt for so long. Whatever comes in beside this look waits for the next call.
    IF NOT EXISTS (SELECT FROM followup.message AS m
                    WHERE m.shard = ANY (p_shards) AND m.pending AND NOT m.queued AND m.claimed_at < v_before) THEN
        RETURN;
    END IF;
    v_shards := followup.lock_leases(p_worker, p_shards, p_epochs, NULL);
    SELECT pg_catalog.array_agg(k.account_id), pg_catalog.array_agg(k.id) INTO v_accounts, v_messages
      FROM (SELECT m.account_id, m.id
              FROM followup.message AS m
              JOIN followup.account AS a ON a.id = m.account_id
              JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
              JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
             WHERE m.shard = ANY (v_shards) AND m.pending AND NOT m.queued AND m.state = 'in_doubt'
               AND m.claimed_at < v_before
               AND (a.in_doubt_policy <> 'hold' OR m.detached OR c.state = 'ended')
             LIMIT p_limit
               FOR NO KEY UPDATE OF l, c, m SKIP LOCKED) AS k;
    SELECT v_accounts || pg_catalog.array_agg(k.account_id), v_messages || pg_catalog.array_agg(k.id)
      INTO v_accounts, v_messages
      FROM (SELECT m.account_id, m.id
              FROM followup.message AS m
              JOIN followup.account AS a ON a.id = m.account_id
             WHERE m.shard = ANY (v_shards) AND m.pending AND NOT m.queued AND m.state = 'in_doubt'
               AND m.conversation_id IS NULL AND m.claimed_at < v_before AND a.in_doubt_policy <> 'hold'
             LIMIT greatest(p_limit - coalesce(pg_catalog.cardinality(v_accounts), 0), 0)
               FOR NO KEY UPDATE OF m SKIP LOCKED) AS k;
    v_free := followup.obtain_caps(ARRAY(SELECT DISTINCT u.id FROM unnest(v_accounts) AS u (id)));
    SELECT pg_catalog.array_agg(u.account_id), pg_catalog.array_agg(u.id) INTO v_accounts, v_messages
      FROM unnest(v_accounts, v_messages) AS u (account_id, id) WHERE u.account_id = ANY (v_free);

    RETURN QUERY
    SELECT n.account_id, n.message_id, n.due_at
      FROM followup.settle_doubts(
               v_accounts, v_messages,
               ARRAY(SELECT a.in_doubt_policy = 'assume_sent'
                       FROM unnest(v_accounts) WITH ORDINALITY AS u(id, place) JOIN followup.account AS a ON a.id = u.id
                      ORDER BY u.place),
               NULL, 'assumed sent: no answer came',
               'may have been sent: no answer came, and its conversation has ended',
               'in doubt, and the policy is resend') AS n
     WHERE v_messages IS NOT NULL;
END
$$;
COMMENT ON FUNCTION followup.settle_by_policy(uuid, integer[], bigint[], bigint, integer) IS
    'in_doubt messages of the worker''s shards last claimed more than p_policy_after_ms (real) ago, at most p_limit: the account''s in_doubt_policy. hold: stays; resend: scheduled again, now, with a new key; assume_sent: sent, and what comes next is planned. A detached one, or one whose conversation ended or whose address is suppressed, is never sent again: assumed sent under assume_sent, else cancelled. Answers what is due because of it.';
