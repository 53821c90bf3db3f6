CREATE OR REPLACE FUNCTION followup.claim_refusals(
    p_worker uuid, p_claimed_at timestamptz, p_now timestamptz, p_until timestamptz, p_shards integer[],
    p_accounts bigint[], p_messages bigint[], p_locked_accounts bigint[], p_locked_messages bigint[])
RETURNS TABLE (account_id bigint, message_id bigint, verdict followup.claim_verdict, due_at timestamptz)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = on
AS $$
DECLARE
    v_row record;
    v_at  timestamptz;      -- when it would leave
    v_due timestamptz;
    v_capped bigint[];      -- accounts whose caps are ours,
    v_busy   bigint[];      -- and whose somebody else has
BEGIN
    -- Without a wait: they are asked about again soon.
    v_busy := ARRAY(SELECT k.account_id FROM followup.cap_lock AS k WHERE k.account_id = ANY (p_locked_accounts));
    IF v_busy <> '{}' THEN
        v_capped := ARRAY(SELECT k.account_id FROM followup.cap_lock AS k WHERE k.account_id = ANY (p_locked_accounts) FOR NO KEY UPDATE SKIP LOCKED);
        v_busy := ARRAY(SELECT b FROM unnest(v_busy) AS b WHERE b <> ALL (v_capped));
    END IF;
    FOR v_row IN
        SELECT u.account_id AS asked_account, u.id AS asked_id, m.state, m.due_at AS due, m.kind, m.cap_day,
               k.id IS NOT NULL AS locked, v.*
          FROM (SELECT DISTINCT x.account_id, x.id FROM unnest(p_accounts, p_messages) AS x(account_id, id)) AS u
          LEFT JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
          LEFT JOIN followup.message_to_claim AS v ON v.account_id = u.account_id AND v.id = u.id
          LEFT JOIN (SELECT DISTINCT x.account_id, x.id
                       FROM unnest(p_locked_accounts, p_locked_messages) AS x(account_id, id)) AS k
            ON k.account_id = u.account_id AND k.id = u.id
         WHERE (m.state = 'sending' AND m.claimed_by = p_worker AND m.claimed_at = p_claimed_at) IS NOT TRUE
         ORDER BY u.account_id, u.id
    LOOP
        account_id := v_row.asked_account;
        message_id := v_row.asked_id;
        due_at := NULL;
        v_at := greatest(p_now, v_row.due);
        IF followup.shard_of(account_id) <> ALL (p_shards) THEN
            verdict := 'not_ours';
        ELSIF v_row.state IS NULL OR v_row.state <> 'scheduled' OR v_row.due = 'infinity' THEN
            verdict := 'gone';
        ELSIF v_row.due > p_until THEN
            verdict := 'moved';
            due_at := v_row.due;
        ELSIF NOT v_row.locked OR v_row.conversation_id IS NULL OR v_row.asked_account = ANY (v_busy) THEN
            verdict := 'busy';
        ELSIF v_row.conversation_state <> 'active' OR v_row.detached THEN
            -- No action leaves a scheduled message behind; whoever did, it must not come back.
            UPDATE followup.message AS m
               SET state = 'cancelled', finished_at = p_now, detail = 'its conversation has ended'
             WHERE m.account_id = v_row.asked_account AND m.id = v_row.asked_id;
            verdict := 'gone';
        ELSIF v_row.suppressed THEN
            verdict := CASE WHEN followup.end_suppressed(v_row.asked_account, v_row.asked_id)
                            THEN 'gone' ELSE 'busy' END;
        ELSIF v_row.paused THEN
            verdict := 'gone';  -- stays scheduled; resuming tells the daemon to load the account again
        ELSIF v_row.subject IS NULL THEN
            -- Its conversation ends, which writes the lead: waiting for it here would be against the order of locks.
            PERFORM FROM followup.lead AS l
              WHERE l.account_id = v_row.asked_account AND l.id = v_row.lead_id FOR NO KEY UPDATE SKIP LOCKED;
            IF NOT FOUND THEN
                verdict := 'busy';
                RETURN NEXT;
                CONTINUE;
            END IF;
            UPDATE followup.message AS m
               SET state = 'failed', finished_at = p_now, detail = 'there is no such step in this version of its sequence'
             WHERE m.account_id = v_row.asked_account AND m.id = v_row.asked_id;
            PERFORM followup.after_message(ARRAY[v_row.asked_account], ARRAY[v_row.asked_id]);
            verdict := 'gone';
        ELSIF v_row.late_action = 'hold' AND v_row.due < p_now - v_row.late_after THEN
            UPDATE followup.message AS m
               SET due_at = 'infinity', base_at = 'infinity', delay = '0', delay_unit = 'elapsed',
                   planned_reason = 'held: it was to leave at ' || v_row.due || ' and is over ' || v_row.late_after || ' late'
             WHERE m.account_id = v_row.asked_account AND m.id = v_row.asked_id;
            verdict := 'gone';
        ELSE
            v_due := greatest(v_at, v_row.hold_until);      -- without jitter: it has had its own
            IF NOT v_row.forced THEN
                v_due := followup.sendable_at(v_row.asked_account, followup.lead_timezone(v_row.lead_timezone, v_row.account_timezone),
                                              v_row.country, v_due);
            END IF;
            IF v_due > v_at OR v_row.due < p_now - v_row.late_after
               OR v_row.cap_day < (v_at AT TIME ZONE followup.lead_timezone(NULL, v_row.account_timezone))::date THEN
                UPDATE followup.message AS m
                   SET due_at = v_due, planned_reason = 'planned anew: it could not leave at ' || v_row.due
                 WHERE m.account_id = v_row.asked_account AND m.id = v_row.asked_id
                RETURNING m.due_at INTO due_at;     -- a daily cap may move it on
                verdict := CASE WHEN due_at = 'infinity' THEN 'gone' ELSE 'moved' END;
            ELSE
                verdict := 'busy';  -- what forbade it has gone since
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION followup.claim_refusals(uuid, timestamptz, timestamptz, timestamptz, integer[], bigint[], bigint[], bigint[], bigint[]) IS
    'Internal, under claim_messages'' locks: the verdict of every message asked for that was not claimed at p_claimed_at (real), and what it is left as. p_locked_*: those whose locks were obtained. p_now: business time; p_until: what is due later has moved.';
