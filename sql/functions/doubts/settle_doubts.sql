CREATE OR REPLACE FUNCTION followup.settle_doubts(
    p_accounts bigint[], p_messages bigint[], p_sent boolean[], p_provider_ids text[],
    p_because_sent text, p_because_gone text, p_because_again text)
RETURNS TABLE (account_id bigint, message_id bigint, due_at timestamptz)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_real timestamptz;
    v_now  timestamptz;
    v_rate double precision;
    v_gone_accounts bigint[];
    v_gone_messages bigint[];
BEGIN
    PERFORM followup.lock_caps(p_accounts);
    v_real := pg_catalog.clock_timestamp();
    SELECT k.business, k.rate INTO v_now, v_rate FROM followup.clock() AS k;
    RETURN QUERY
    WITH settled AS (
        SELECT m.account_id, m.id, u.provider_id,
               CASE WHEN u.sent THEN 'sent'
                    -- Nobody is to be written to any more: never sent again.
                    WHEN m.detached OR c.state = 'ended' OR m.conversation_id IS NOT NULL AND v.suppressed THEN 'cancelled'
                    ELSE 'scheduled' END::followup.message_state AS state
          FROM unnest(p_accounts, p_messages, p_sent, p_provider_ids) AS u(account_id, id, sent, provider_id)
          JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
          JOIN followup.message_to_claim AS v ON v.account_id = u.account_id AND v.id = u.id
          LEFT JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
    ), written AS (
        UPDATE followup.message AS m
           SET state = s.state,
               posts = CASE WHEN s.state = 'scheduled' THEN 0 ELSE m.posts END,
               due_at = CASE WHEN s.state = 'scheduled' THEN v_now ELSE m.due_at END,
               planned_reason = CASE WHEN s.state = 'scheduled' THEN p_because_again ELSE m.planned_reason END,
               provider_message_id = coalesce(s.provider_id, m.provider_message_id),
               sent_at = CASE WHEN s.state = 'sent'
                              THEN greatest(v_now - pg_catalog.make_interval(secs => extract(epoch FROM v_real - m.claimed_at)::double precision * v_rate),
                                            m.due_at) END,
               finished_at = CASE WHEN s.state <> 'scheduled' THEN v_now END,
               detail = CASE s.state WHEN 'sent' THEN p_because_sent
                                     WHEN 'cancelled' THEN p_because_gone
                                     ELSE m.detail END
          FROM settled AS s
         WHERE m.account_id = s.account_id AND m.id = s.id AND m.state = 'in_doubt'
        RETURNING m.account_id, m.id, m.due_at, m.state)
    SELECT w.account_id, w.id, w.due_at FROM written AS w WHERE w.state = 'scheduled';

    SELECT pg_catalog.array_agg(m.account_id), pg_catalog.array_agg(m.id) INTO v_gone_accounts, v_gone_messages
      FROM unnest(p_accounts, p_messages) AS u(account_id, id)
      JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
     WHERE NOT m.pending;
    IF pg_catalog.cardinality(v_gone_messages) > 0 THEN
        RETURN QUERY SELECT n.account_id, n.message_id, n.due_at
                       FROM followup.after_message(v_gone_accounts, v_gone_messages) AS n;
    END IF;
END
$$;
COMMENT ON FUNCTION followup.settle_doubts(bigint[], bigint[], boolean[], text[], text, text, text) IS
    'Internal: messages in doubt (parallel arrays; locked by the caller, with lead and conversation) of which it is decided whether they were sent. Sent: as of the last POST, and what comes next is planned. Not sent: scheduled again, now, with a new key; a detached one, or one whose conversation ended or whose address is suppressed, is cancelled (an alert is not: the address of its lead is not where it goes to). p_because_*: what the message says of it. Answers what is due because of it.';
