CREATE OR REPLACE FUNCTION followup.claim_messages(
    p_worker uuid, p_shards integer[], p_epochs bigint[], p_accounts bigint[], p_messages bigint[],
    p_default_provider text)
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
    v_now      timestamptz;
    v_until    timestamptz;
    v_real     timestamptz;
    v_shards   integer[] := followup.lock_leases(p_worker, p_shards, p_epochs, p_accounts);
    v_accounts bigint[];
    v_messages bigint[];
    v_places   tid[];           -- where they are: our locks keep them there
    v_alert_accounts bigint[];
    v_alert_messages bigint[];
    v_alert_places   tid[];
    v_claimed  integer;
BEGIN
    SELECT k.business, followup.claimed_until(k.business, k.rate) INTO v_now, v_until FROM followup.clock() AS k;
    v_real := pg_catalog.clock_timestamp();

    -- Locks. Nothing waits: whatever is locked by somebody else is skipped and answered `busy`, so that one long
    -- transaction never holds up the rest of a batch, and no order of locks can deadlock. By `+ 0` the planner cannot infer
    -- that an account is enough: without statistics it would read all that the account has, for each message.
    SELECT pg_catalog.array_agg(k.account_id), pg_catalog.array_agg(k.id), pg_catalog.array_agg(k.place)
      INTO v_accounts, v_messages, v_places
      FROM (SELECT m.account_id, m.id, m.ctid AS place
              FROM unnest(p_accounts, p_messages) AS u(account_id, id)
              JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
              JOIN followup.account AS a ON a.id = m.account_id + 0
              JOIN followup.conversation AS c ON c.account_id = m.account_id + 0 AND c.id = m.conversation_id
             WHERE m.state = 'scheduled' AND m.due_at <= v_until AND m.shard = ANY (v_shards)
               FOR SHARE OF a, c SKIP LOCKED
               FOR NO KEY UPDATE OF m SKIP LOCKED) AS k;
    IF coalesce(pg_catalog.cardinality(v_accounts), 0) < pg_catalog.cardinality(p_accounts) THEN
        -- Alerts and webhooks have no conversation, and no pause of the account stops them.
        SELECT pg_catalog.array_agg(k.account_id), pg_catalog.array_agg(k.id), pg_catalog.array_agg(k.place)
          INTO v_alert_accounts, v_alert_messages, v_alert_places
          FROM (SELECT m.account_id, m.id, m.ctid AS place
                  FROM unnest(p_accounts, p_messages) AS u(account_id, id)
                  JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
                 WHERE m.conversation_id IS NULL
                   AND m.state = 'scheduled' AND m.due_at <= v_until AND m.shard = ANY (v_shards)
                   FOR NO KEY UPDATE OF m SKIP LOCKED) AS k;
        v_accounts := v_accounts || v_alert_accounts;
        v_messages := v_messages || v_alert_messages;
        v_places := v_places || v_alert_places;
    END IF;

    -- Decide, with a snapshot that is younger than every lock, for the instant at which the message leaves. Only what may go
    -- is touched here. The epoch of each shard is the one asked with: lock_leases compared them.
    RETURN QUERY
    UPDATE followup.message AS m
       SET state = 'sending', claimed_by = p_worker, claimed_at = v_real,
           -- Whoever has all shards has them in their places.
           epoch = CASE WHEN p_shards[m.shard + 1] = m.shard THEN p_epochs[m.shard + 1]
                        ELSE p_epochs[pg_catalog.array_position(p_shards, m.shard)] END,
           claim_seq = (SELECT pg_catalog.nextval('followup.order_seq')),
           attempts = m.attempts + (m.posts = 0)::integer, posts = m.posts + 1,
           first_post_at = CASE WHEN m.posts = 0 THEN v_real ELSE m.first_post_at END,
           provider = coalesce(v.provider, p_default_provider), recipient = v.recipient,
           rfc_message_id = v.rfc_message_id
      FROM unnest(v_places) AS u(place)
      JOIN followup.message_to_claim AS v ON v.place = u.place
     WHERE m.ctid = v.place AND m.state = 'scheduled'
       AND (m.conversation_id IS NULL
            OR v.conversation_state = 'active' AND NOT m.detached AND NOT v.paused AND NOT v.suppressed
               AND v.subject IS NOT NULL
               AND (v.hold_until IS NULL OR v.hold_until <= greatest(v_now, m.due_at))
               AND (v.late_action = 'send' OR m.due_at >= v_now - v.late_after)
               AND (m.cap_day IS NULL OR m.forced
                    OR m.cap_day >= (greatest(v_now, m.due_at) AT TIME ZONE followup.lead_timezone(NULL, v.account_timezone))::date)
               AND (m.forced OR NOT v.has_calendar AND v.country IS NULL
                    OR followup.window_open(m.account_id, v.lead_timezone, v.account_timezone, v.country,
                                            greatest(v_now, m.due_at))))
    RETURNING m.account_id, m.id, 'claimed'::followup.claim_verdict, m.due_at, m.shard, m.epoch, m.attempts, m.posts,
              m.kind, m.provider, m.recipient, v.from_name, v.from_address, v.reply_to, v.subject, v.body_text,
              v.body_html, v.fields, v.first_name, v.last_name, v.company, v.country, v.email, v.from_name, v.assistant_title,
              v.assistant_signature, v.from_address, v.rep_name, v.rep_email, v.rep_phone, v.postal_address, m.rfc_message_id,
              v.in_reply_to, v.refs, v.unsubscribe_token, m.payload;
    GET DIAGNOSTICS v_claimed = ROW_COUNT;

    IF v_claimed < pg_catalog.cardinality(p_accounts) THEN
        RETURN QUERY
        SELECT r.account_id, r.message_id, r.verdict, r.due_at, NULL::integer, NULL::bigint, NULL::integer,
               NULL::integer, NULL::followup.message_kind, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text,
               NULL::text, NULL::text, NULL::text, NULL::jsonb, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text,
               NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text,
               NULL::text, NULL::text, NULL::uuid, NULL::jsonb
          FROM followup.claim_refusals(p_worker, v_real, v_now, v_until, v_shards, p_accounts, p_messages,
                                       v_accounts, v_messages) AS r;
    END IF;
END
$$;
COMMENT ON FUNCTION followup.claim_messages(uuid, integer[], bigint[], bigint[], bigint[], text) IS
    'Due, or due within 50 ms (real) -> sending, for what may leave when it is due: one row for every id asked (p_accounts and p_messages are parallel, at most 1000), of shards the worker holds at these epochs. Post only what is `claimed`, and only after the commit, and not before due_at. gone: forget it; moved: due at due_at now; busy: somebody works on it, ask again; not_ours: the lease is another''s. A refused message is left cancelled, failed, planned anew, or out of what the loader reads. p_default_provider: for assistants and accounts that name none. Refuses (25000) any isolation level but READ COMMITTED.';
