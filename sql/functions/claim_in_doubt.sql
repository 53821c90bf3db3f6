CREATE OR REPLACE FUNCTION followup.claim_in_doubt(
    p_worker uuid, p_shards integer[], p_epochs bigint[], p_providers text[], p_key_windows_ms bigint[],
    p_settle_after_ms bigint, p_default_provider text, p_limit integer)
RETURNS SETOF followup.claim_row
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET followup.quiet = 'on'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET join_collapse_limit = 20
SET geqo = off
SET jit = off
AS $$
DECLARE
    v_real     timestamptz := pg_catalog.clock_timestamp();
    v_now      timestamptz;
    v_shards   integer[] := followup.lock_leases(p_worker, p_shards, p_epochs, NULL);
    v_accounts bigint[];
    v_messages bigint[];
BEGIN
    PERFORM followup.require_read_committed();
    v_now := followup.now();

    -- Locks as in claim_messages. An alert (no conversation) is locked alone. What has to wait (window, hold, pause,
    -- suppression) is left out here already, so that it does not take the places of others turn after turn.
    SELECT pg_catalog.array_agg(k.account_id), pg_catalog.array_agg(k.id) INTO v_accounts, v_messages
      FROM (SELECT m.account_id, m.id
              FROM followup.message AS m
              JOIN unnest(p_providers, p_key_windows_ms) AS p(name, window_ms) ON p.name = coalesce(m.provider, p_default_provider)
              JOIN followup.account AS a ON a.id = m.account_id
              JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
              JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
             WHERE m.shard = ANY (v_shards) AND m.pending AND NOT m.queued AND m.state = 'in_doubt' AND NOT m.detached
               AND m.claimed_at < v_real - p_settle_after_ms * 2 ^ least(m.posts - 1, 7) * '1 millisecond'::interval
               AND m.first_post_at > v_real - p.window_ms * '1 millisecond'::interval
               AND c.state = 'active' AND a.paused_at IS NULL AND (c.hold_until IS NULL OR c.hold_until <= v_now)
               AND NOT followup.conversation_paused(m.account_id, m.conversation_id)
               AND NOT followup.lead_suppressed(m.account_id, m.lead_id)
               AND (m.forced OR followup.window_open(m.account_id, l.timezone, a.timezone, l.country, v_now))
             LIMIT p_limit
               FOR SHARE OF a, c SKIP LOCKED
               FOR NO KEY UPDATE OF m SKIP LOCKED) AS k;
    SELECT v_accounts || pg_catalog.array_agg(k.account_id), v_messages || pg_catalog.array_agg(k.id)
      INTO v_accounts, v_messages
      FROM (SELECT m.account_id, m.id
              FROM followup.message AS m
              JOIN unnest(p_providers, p_key_windows_ms) AS p(name, window_ms) ON p.name = coalesce(m.provider, p_default_provider)
             WHERE m.shard = ANY (v_shards) AND m.pending AND NOT m.queued AND m.state = 'in_doubt'
               AND m.conversation_id IS NULL
               AND m.claimed_at < v_real - p_settle_after_ms * 2 ^ least(m.posts - 1, 7) * '1 millisecond'::interval
               AND m.first_post_at > v_real - p.window_ms * '1 millisecond'::interval
             LIMIT greatest(p_limit - coalesce(pg_catalog.cardinality(v_accounts), 0), 0)
               FOR NO KEY UPDATE OF m SKIP LOCKED) AS k;

    -- Decide, with a snapshot younger than the locks. The provider and the address stay those of the first POST; the
    -- address may have been suppressed when the lead had left it already.
    RETURN QUERY
    UPDATE followup.message AS m
       SET state = 'sending', claimed_by = p_worker, epoch = e.epoch, claimed_at = v_real,
           claim_seq = pg_catalog.nextval('followup.order_seq'), posts = m.posts + 1
      FROM unnest(v_accounts, v_messages) AS u(account_id, id)
      JOIN followup.message_to_claim AS v ON v.account_id = u.account_id AND v.id = u.id
      JOIN followup.lease AS e ON e.shard = followup.shard_of(u.account_id)
     WHERE m.account_id = u.account_id AND m.id = u.id AND m.state = 'in_doubt'
       AND (m.conversation_id IS NULL
            OR v.conversation_state = 'active' AND NOT m.detached AND NOT v.paused AND NOT v.suppressed
               AND NOT EXISTS (SELECT FROM followup.suppression AS x
                                WHERE x.account_id = m.account_id AND x.address = pg_catalog.lower(m.recipient))
               AND v.subject IS NOT NULL
               AND (v.hold_until IS NULL OR v.hold_until <= v_now)
               AND (m.forced OR NOT v.has_calendar AND v.country IS NULL
                    OR followup.window_open(m.account_id, v.lead_timezone, v.account_timezone, v.country, v_now)))
    RETURNING m.account_id, m.id, 'claimed'::followup.claim_verdict, m.due_at, m.shard, m.epoch, m.attempts, m.posts,
              m.kind, coalesce(m.provider, p_default_provider), m.recipient, v.from_name, v.from_address, v.reply_to,
              v.subject, v.body_text, v.body_html, v.merge_values, m.rfc_message_id, v.in_reply_to, v.refs,
              v.unsubscribe_token, m.payload;
END
$$;
COMMENT ON FUNCTION followup.claim_in_doubt(uuid, integer[], bigint[], text[], bigint[], bigint, text, integer) IS
    'in_doubt -> sending with the same key, for the worker''s shards: at most p_limit messages whose provider honours keys (p_providers, and parallel to it for how many real ms after the key''s first POST), last claimed more than p_settle_after_ms ago, twice as long with each POST of the key, at most 128 times. Stop, pause, hold, suppression and window are asked as in a claim; a detached one is never posted again. Rows are all claimed.';
