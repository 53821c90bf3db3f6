-- The order of the joins is the one written: without statistics the planner would rather read every conversation first.
CREATE OR REPLACE FUNCTION followup.lock_doubts(
    p_shards integer[], p_providers text[], p_key_windows_ms bigint[], p_places integer[], p_settle_after_ms bigint,
    p_default_provider text, p_real timestamptz, p_now timestamptz, OUT accounts bigint[], OUT messages bigint[])
LANGUAGE plpgsql VOLATILE
SET join_collapse_limit = 1
AS $$
DECLARE
    v_accounts bigint[];
    v_messages bigint[];
BEGIN
    -- Locks as in claim_messages. An alert (no conversation) is locked alone. What has to wait (window, hold, pause,
    -- suppression) is left out here already, so that it does not take the places of others turn after turn.
    FOR i IN 1 .. pg_catalog.cardinality(p_providers) LOOP
        SELECT pg_catalog.array_agg(k.account_id), pg_catalog.array_agg(k.id) INTO v_accounts, v_messages
          FROM (SELECT m.account_id, m.id
                  FROM followup.message AS m
                  JOIN followup.account AS a ON a.id = m.account_id
                  JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
                  JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
                 WHERE m.shard = ANY (p_shards) AND m.pending AND NOT m.queued AND m.state = 'in_doubt' AND NOT m.detached
                   AND coalesce(m.provider, p_default_provider) = p_providers[i]
                   AND followup.next_post_at(m.claimed_at, m.posts, p_settle_after_ms) < p_real
                   AND m.first_post_at > p_real - p_key_windows_ms[i] * '1 millisecond'::interval
                   AND c.state <> 'ended' AND a.paused_at IS NULL AND (c.hold_until IS NULL OR c.hold_until <= p_now)
                   AND NOT EXISTS (SELECT FROM followup.list_pull AS w WHERE w.account_id = m.account_id AND w.ended_at IS NULL OFFSET 0)
                   AND NOT followup.conversation_paused(m.account_id, m.conversation_id)
                   AND NOT followup.lead_suppressed(m.account_id, m.lead_id)
                   AND (m.forced OR followup.window_open(m.account_id, l.timezone, a.timezone, l.country, p_now))
                 LIMIT p_places[i]
                   FOR SHARE OF a, c SKIP LOCKED
                   FOR NO KEY UPDATE OF m SKIP LOCKED) AS k;
        accounts := accounts || v_accounts;
        messages := messages || v_messages;
        SELECT pg_catalog.array_agg(k.account_id), pg_catalog.array_agg(k.id) INTO v_accounts, v_messages
          FROM (SELECT m.account_id, m.id
                  FROM followup.message AS m
                 WHERE m.shard = ANY (p_shards) AND m.pending AND NOT m.queued AND m.state = 'in_doubt'
                   AND m.conversation_id IS NULL
                   AND coalesce(m.provider, p_default_provider) = p_providers[i]
                   AND followup.next_post_at(m.claimed_at, m.posts, p_settle_after_ms) < p_real
                   AND m.first_post_at > p_real - p_key_windows_ms[i] * '1 millisecond'::interval
                 LIMIT p_places[i] - coalesce(pg_catalog.cardinality(v_messages), 0)
                   FOR NO KEY UPDATE OF m SKIP LOCKED) AS k;
        accounts := accounts || v_accounts;
        messages := messages || v_messages;
    END LOOP;
END
$$;
COMMENT ON FUNCTION followup.lock_doubts(integer[], text[], bigint[], integer[], bigint, text, timestamptz, timestamptz) IS
    'Internal, of claim_in_doubt: locks messages in doubt that may be posted again now, at most p_places of each provider (parallel to p_providers), with their accounts and conversations, and names them. p_real and p_now: real and business time.';
