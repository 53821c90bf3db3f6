CREATE OR REPLACE FUNCTION followup.record_results(
    p_worker uuid, p_shards integer[], p_shard_epochs bigint[],
    p_accounts bigint[], p_messages bigint[], p_attempts integer[], p_posts integer[], p_epochs bigint[],
    p_outcomes followup.attempt_outcome[], p_uncounted boolean[], p_http_status integer[], p_retry_after_ms bigint[],
    p_details text[], p_provider_ids text[], p_started timestamptz[], p_ended timestamptz[],
    p_subjects text[], p_texts text[], p_htmls text[], p_rfc_ids text[] = NULL)
RETURNS TABLE (account_id bigint, message_id bigint, accepted boolean,
               next_account_id bigint, next_message_id bigint, next_due_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET followup.quiet = 'on'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET join_collapse_limit = 1
AS $$
#variable_conflict use_column
DECLARE
    v_count    integer := pg_catalog.cardinality(p_messages);
    v_shards   integer[] := followup.lock_leases(p_worker, p_shards, p_shard_epochs, p_accounts);
    v_locked   integer[];   -- subscripts of what is locked by us, and where its rows are: parallel arrays
    v_rows     tid[];
    v_threads  tid[];
    v_leads    tid[];
    v_all_rows    tid[];    -- the same, parallel to the parameters; NULL: not locked
    v_all_threads tid[];
    v_all_leads   tid[];
    v_free     boolean[] := pg_catalog.array_fill(true, ARRAY[v_count]);
    v_capped   boolean;
    v_obtained bigint[];    -- accounts whose caps are ours, or that have none
    v_now      timestamptz;
    v_real     timestamptz;
    v_rate     double precision;
    v_at       integer;
    v_accounts bigint[];    -- retries given up
    v_messages bigint[];
    v_written  bigint;      -- messages, so v_count only when each is there once and none is a retry or late
    v_planned  boolean := false;
BEGIN
    -- Locks: lead and conversation too, because after_places writes them. What somebody else holds is skipped and left
    -- out of the answer, so that a long transaction delays its own messages only.
    SELECT pg_catalog.array_agg(k.subscript), pg_catalog.array_agg(k.message), pg_catalog.array_agg(k.thread), pg_catalog.array_agg(k.lead)
      INTO v_locked, v_rows, v_threads, v_leads
      FROM (SELECT u.subscript, m.ctid AS message, c.ctid AS thread, l.ctid AS lead
              FROM unnest(p_accounts, p_messages) WITH ORDINALITY AS u(account_id, id, subscript)
              JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
              JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
              JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
             ORDER BY u.subscript
               FOR NO KEY UPDATE OF l, c, m SKIP LOCKED) AS k;
    IF coalesce(pg_catalog.cardinality(v_locked), 0) < v_count THEN
        SELECT v_locked || pg_catalog.array_agg(k.subscript), v_rows || pg_catalog.array_agg(k.message) INTO v_locked, v_rows
          FROM (SELECT u.subscript, m.ctid AS message
                  FROM unnest(p_accounts, p_messages) WITH ORDINALITY AS u(account_id, id, subscript)
                  JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
                 WHERE m.conversation_id IS NULL
                   FOR NO KEY UPDATE OF m SKIP LOCKED) AS k;
        FOR v_place IN 1..v_count LOOP
            v_at := pg_catalog.array_position(v_locked, v_place);
            v_free[v_place] := v_at IS NOT NULL;
            v_all_rows[v_place] := v_rows[v_at];
            v_all_threads[v_place] := v_threads[v_at];
            v_all_leads[v_place] := v_leads[v_at];
        END LOOP;
        v_rows := v_all_rows;
        v_threads := v_all_threads;
        v_leads := v_all_leads;
    END IF;

    v_capped := EXISTS (SELECT FROM followup.cap_lock AS k WHERE k.account_id = ANY (p_accounts));
    IF v_capped THEN
        v_obtained := followup.obtain_caps(p_accounts);
        IF v_obtained <> p_accounts THEN
            FOR v_place IN 1..v_count LOOP
                v_free[v_place] := v_free[v_place] AND p_accounts[v_place] = ANY (v_obtained);
            END LOOP;
        END IF;
    END IF;
    v_real := pg_catalog.clock_timestamp();
    SELECT k.business, k.rate INTO v_now, v_rate FROM followup.clock() AS k;

    -- What each POST came to, whatever becomes of the message, and what left with it. A repeated batch finds its rows here.
    INSERT INTO followup.attempt (account_id, message_id, no, post, epoch, outcome, http_status, detail, started_at, ended_at,
                                  subject, text, html)
    SELECT r.account_id, r.message_id, r.attempts, r.posts, r.epoch, r.outcome, nullif(r.http_status, 0), r.detail,
           r.started_at, r.ended_at, CASE WHEN r.outcome = 'sent' THEN r.subject END,
           CASE WHEN r.outcome = 'sent' THEN r.text END, CASE WHEN r.outcome = 'sent' THEN r.html END
      FROM unnest(v_free, p_accounts, p_messages, p_attempts, p_posts, p_epochs, p_outcomes, p_http_status, p_details,
                  p_started, p_ended, p_subjects, p_texts, p_htmls)
               AS r(free, account_id, message_id, attempts, posts, epoch, outcome, http_status, detail, started_at, ended_at,
                    subject, text, html)
     WHERE r.free
        ON CONFLICT DO NOTHING;

    -- The message. Matched by key (attempts) and the epoch its claim stored, not by today's lease: what was sent was sent.
    WITH written AS (
        UPDATE followup.message AS m
           SET state = (CASE r.outcome WHEN 'sent' THEN 'sent' WHEN 'rejected' THEN 'failed' ELSE 'in_doubt' END)::followup.message_state,
               sent_at = CASE WHEN r.outcome = 'sent'
                              THEN v_now - pg_catalog.make_interval(
                                       secs => greatest(pg_catalog.date_part('epoch', v_real - r.ended_at), 0) * v_rate) END,
               finished_at = CASE WHEN r.outcome <> 'in_doubt' THEN v_now END,
               provider_message_id = coalesce(r.provider_id, m.provider_message_id),
               rfc_message_id = coalesce(r.rfc_id, m.rfc_message_id),
               detail = coalesce(r.detail, CASE r.outcome WHEN 'rejected' THEN 'refused by the provider' ELSE m.detail END)
          FROM (SELECT DISTINCT ON (x.account_id, x.message_id) x.*  -- sent before rejected before in_doubt
                  FROM unnest(v_free, p_accounts, p_messages, p_attempts, p_posts, p_epochs, p_outcomes,
                                         p_details, p_provider_ids, p_rfc_ids, p_ended, v_rows, v_threads, v_leads)
                           AS x(free, account_id, message_id, attempts, posts, epoch, outcome, detail, provider_id, rfc_id, ended_at,
                                place, thread, lead)
                 WHERE x.free AND x.outcome <> 'retry'
                 ORDER BY x.account_id, x.message_id, x.outcome, x.posts DESC) AS r
         WHERE m.ctid = r.place AND m.attempts = r.attempts AND m.epoch = r.epoch
           AND CASE r.outcome WHEN 'sent' THEN m.state IN ('sending', 'in_doubt')
                              WHEN 'rejected' THEN m.state IN ('sending', 'in_doubt') AND m.posts = r.posts
                              ELSE m.state = 'sending' AND m.posts = r.posts END
        RETURNING m.state, m.ctid AS place, r.thread, r.lead)
    SELECT pg_catalog.array_agg(w.place) FILTER (WHERE w.state <> 'in_doubt'),
           pg_catalog.array_agg(w.thread) FILTER (WHERE w.state <> 'in_doubt'),
           pg_catalog.array_agg(w.lead) FILTER (WHERE w.state <> 'in_doubt'), count(*)
      INTO v_rows, v_threads, v_leads, v_written
      FROM written AS w;
    IF v_rows IS NOT NULL THEN      -- out of `pending`; at once, while their rows are where they were written
        PERFORM followup.after_places(v_rows, v_threads, v_leads, v_capped);
        v_planned := FOUND;
    END IF;
    IF v_written < v_count THEN
        SELECT pg_catalog.array_agg(w.account_id), pg_catalog.array_agg(w.message_id) INTO v_accounts, v_messages
          FROM followup.record_retries(p_worker, v_shards, v_now, v_rate, v_free, p_accounts, p_messages, p_attempts,
                                       p_posts, p_epochs, p_outcomes, p_uncounted, p_retry_after_ms, p_details) AS w;
        -- A late result changes nothing but these: by them, webhooks and replies find the message.
        UPDATE followup.message AS m
           SET provider_message_id = coalesce(m.provider_message_id, r.provider_id),
               rfc_message_id = coalesce(r.rfc_id, m.rfc_message_id),
               sent_at = CASE WHEN m.attempts = r.attempts AND m.state IN ('delivered', 'bounced', 'complained')
                              THEN coalesce(m.sent_at, v_now) ELSE m.sent_at END
          FROM unnest(v_free, p_accounts, p_messages, p_attempts, p_outcomes, p_provider_ids, p_rfc_ids)
                   AS r(free, account_id, message_id, attempts, outcome, provider_id, rfc_id)
         WHERE r.free AND r.outcome = 'sent' AND r.provider_id IS NOT NULL
           AND m.account_id = r.account_id AND m.id = r.message_id
           AND (m.provider_message_id IS NULL OR m.attempts = r.attempts AND m.rfc_message_id <> r.rfc_id);
        IF v_messages IS NOT NULL THEN
            PERFORM followup.after_message(v_accounts, v_messages, v_capped);
        END IF;
    END IF;
    IF v_written = v_count AND NOT v_planned THEN   -- the usual end of a conversation: nothing is left to look up
        RETURN QUERY SELECT r.account_id, r.message_id, true, NULL::bigint, NULL::bigint, NULL::timestamptz
                       FROM unnest(p_accounts, p_messages) AS r(account_id, message_id);
        RETURN;
    END IF;

    -- The answer reads what is there now, so a repeated batch gets the same one.
    RETURN QUERY
    SELECT r.account_id, r.message_id,
           coalesce(m.attempts = r.attempts AND m.epoch = r.epoch AND CASE r.outcome
                        WHEN 'sent' THEN m.state IN ('sent', 'delivered', 'bounced', 'complained')
                        WHEN 'rejected' THEN m.state = 'failed'
                        WHEN 'retry' THEN m.state IN ('scheduled', 'cancelled', 'failed')
                                          OR m.state = 'in_doubt' AND NOT followup.never_left(m.account_id, m.id, r.attempts, r.posts)
                        ELSE m.state = 'in_doubt' END, false),
           n.account_id, n.id, n.due_at
      FROM (SELECT DISTINCT ON (x.account_id, x.message_id) x.*
              FROM unnest(v_free, p_accounts, p_messages, p_attempts, p_posts, p_epochs, p_outcomes) WITH ORDINALITY
                       AS x(free, account_id, message_id, attempts, posts, epoch, outcome, place)
             ORDER BY x.account_id, x.message_id, x.outcome) AS r
      LEFT JOIN followup.message AS m ON m.account_id = r.account_id AND m.id = r.message_id
      LEFT JOIN LATERAL (
          SELECT x.account_id, x.id, x.due_at FROM followup.message AS x
           WHERE x.account_id = m.account_id AND x.conversation_id = m.conversation_id
             AND x.pending AND NOT x.detached AND x.state = 'scheduled' AND NOT m.detached
          UNION ALL
          SELECT m.account_id, m.id, m.due_at WHERE m.conversation_id IS NULL AND m.state = 'scheduled') AS n ON true
     WHERE r.free OR m.id IS NULL
     ORDER BY r.place;
END
$$;
COMMENT ON FUNCTION followup.record_results(uuid, integer[], bigint[], bigint[], bigint[], integer[], integer[], bigint[], followup.attempt_outcome[], boolean[], integer[], bigint[], text[], text[], timestamptz[], timestamptz[], text[], text[], text[], text[]) IS
    'What POSTs came to (parallel arrays, at most 1000): attempts, bodies, the messages'' states, and what is planned next. Answers in the order asked, one row a message. A message asked for and not in the answer was busy: repeat it in a later batch; repeating anything is harmless. accepted false: late or lost, kept as an attempt (and its provider id), nothing else changed. next_*: what is scheduled in its conversation now: a retry or the message planned after it; NULL: nothing. sent and rejected count from sending and in_doubt; retry only for the POST under way, by the present owner of the shard: due after p_retry_after_ms (real, at most 1 h), or 2^attempts seconds when that is 0, failed after 10 attempts; p_uncounted keeps the key. A retry of a re-posted key goes back to in_doubt, because it proves nothing about the POST before. p_started, p_ended: real time. p_http_status 0: none. p_rfc_ids: the Message-ID that a provider wrote in the place of ours, which replies and the next message of the conversation name; NULL: ours. Refuses (25000) any isolation level but READ COMMITTED.';
