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
    v_now      timestamptz;
    v_rate     double precision;
    v_shards   integer[];
    v_accounts bigint[];
    v_messages bigint[];
    v_gone_accounts bigint[];
    v_gone_messages bigint[];
BEGIN
    PERFORM followup.require_read_committed();
    -- Mostly nothing is in doubt for so long. Whatever comes in beside this look waits for the next call.
    IF NOT EXISTS (SELECT FROM followup.message AS m
                    WHERE m.shard = ANY (p_shards) AND m.pending AND NOT m.queued AND m.claimed_at < v_before) THEN
        RETURN;
    END IF;
    v_shards := followup.lock_leases(p_worker, p_shards, p_epochs, NULL);
    SELECT k.business, k.rate INTO v_now, v_rate FROM followup.clock() AS k;
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

    PERFORM followup.lock_caps(v_accounts);
    RETURN QUERY
    WITH settled AS (
        SELECT m.account_id, m.id,
               CASE WHEN a.in_doubt_policy = 'assume_sent' THEN 'sent'
                    -- Nobody is to be written to any more: never sent again, whatever the policy.
                    WHEN m.detached OR c.state = 'ended' OR v.suppressed THEN 'cancelled'
                    WHEN a.in_doubt_policy = 'resend' THEN 'scheduled'
                    ELSE 'in_doubt' END::followup.message_state AS state
          FROM unnest(v_accounts, v_messages) AS u(account_id, id)
          JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
          JOIN followup.message_to_claim AS v ON v.account_id = u.account_id AND v.id = u.id
          JOIN followup.account AS a ON a.id = m.account_id
          LEFT JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
    ), written AS (
        UPDATE followup.message AS m
           SET state = s.state,
               posts = CASE WHEN s.state = 'scheduled' THEN 0 ELSE m.posts END,
               due_at = CASE WHEN s.state = 'scheduled' THEN v_now ELSE m.due_at END,
               planned_reason = CASE WHEN s.state = 'scheduled' THEN 'in doubt, and the policy is resend' ELSE m.planned_reason END,
               sent_at = CASE WHEN s.state = 'sent'
                              THEN v_now - pg_catalog.make_interval(secs => extract(epoch FROM v_real - m.claimed_at)::double precision * v_rate) END,
               finished_at = CASE WHEN s.state <> 'scheduled' THEN v_now END,
               detail = CASE s.state WHEN 'sent' THEN 'assumed sent: no answer came'
                                     WHEN 'cancelled' THEN 'may have been sent: no answer came, and its conversation has ended'
                                     ELSE m.detail END
          FROM settled AS s
         WHERE m.account_id = s.account_id AND m.id = s.id AND m.state = 'in_doubt' AND s.state <> 'in_doubt'
        RETURNING m.account_id, m.id, m.due_at, m.state)
    SELECT w.account_id, w.id, w.due_at FROM written AS w WHERE w.state = 'scheduled';

    SELECT pg_catalog.array_agg(m.account_id), pg_catalog.array_agg(m.id) INTO v_gone_accounts, v_gone_messages
      FROM unnest(v_accounts, v_messages) AS u(account_id, id)
      JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
     WHERE NOT m.pending;
    IF pg_catalog.cardinality(v_gone_messages) > 0 THEN
        RETURN QUERY SELECT n.account_id, n.message_id, n.due_at
                       FROM followup.after_message(v_gone_accounts, v_gone_messages) AS n;
    END IF;
END
$$;
COMMENT ON FUNCTION followup.settle_by_policy(uuid, integer[], bigint[], bigint, integer) IS
    'in_doubt messages of the worker''s shards last claimed more than p_policy_after_ms (real) ago, at most p_limit: the account''s in_doubt_policy. hold: stays; resend: scheduled again, now, with a new key; assume_sent: sent, and what comes next is planned. A detached one, or one whose conversation ended or whose address is suppressed, is never sent again: assumed sent under assume_sent, else cancelled. Answers what is due because of it.';
