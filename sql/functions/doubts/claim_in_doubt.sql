CREATE OR REPLACE FUNCTION followup.claim_in_doubt(
    p_worker uuid, p_shards integer[], p_epochs bigint[], p_providers text[], p_key_windows_ms bigint[], p_places integer[],
    p_settle_after_ms bigint, p_default_provider text)
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
    v_real     timestamptz;
    v_now      timestamptz;
    v_shards   integer[];
    v_accounts bigint[];
    v_messages bigint[];
BEGIN
    PERFORM followup.require_read_committed();
    -- Mostly nothing is in doubt. Whatever comes in beside this look waits for the next call.
    IF NOT EXISTS (SELECT FROM followup.message AS m WHERE m.shard = ANY (p_shards) AND m.pending AND NOT m.queued) THEN
        RETURN;
    END IF;
    v_shards := followup.lock_leases(p_worker, p_shards, p_epochs, NULL);
    v_now := followup.now();
    v_real := pg_catalog.clock_timestamp();

    SELECT k.accounts, k.messages INTO v_accounts, v_messages
      FROM followup.lock_doubts(v_shards, p_providers, p_key_windows_ms, p_places, p_settle_after_ms, p_default_provider,
                                v_real, v_now) AS k;
    IF v_messages IS NULL THEN
        RETURN;
    END IF;

    -- Decide, with a snapshot younger than the locks. The provider and the address stay those of the first POST; the
    -- address may have been suppressed when the lead had left it already.
    RETURN QUERY
    UPDATE followup.message AS m
       SET state = 'sending', claimed_by = p_worker, epoch = e.epoch, claimed_at = v_real,
           claim_seq = (SELECT pg_catalog.nextval('followup.order_seq')), posts = m.posts + 1
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
              v.subject, v.body_text, v.body_html, v.fields, v.first_name, v.last_name, v.company, v.country, v.email,
              v.from_name, v.assistant_title, v.assistant_signature, v.from_address, v.rep_name, v.rep_email, v.rep_phone,
              v.postal_address, m.rfc_message_id, v.in_reply_to, v.refs, v.unsubscribe_token, m.payload;
END
$$;
COMMENT ON FUNCTION followup.claim_in_doubt(uuid, integer[], bigint[], text[], bigint[], integer[], bigint, text) IS
    'in_doubt -> sending with the same key, for the worker''s shards: messages whose provider honours keys (p_providers, and parallel to it for how many real ms after the key''s first POST, and how many of its messages at most: what is claimed and not posted waits twice as long), last claimed more than p_settle_after_ms ago, twice as long with each POST of the key, at most 128 times. Stop, pause, hold, suppression and window are asked as in a claim; a detached one is never posted again. Rows are all claimed.';
