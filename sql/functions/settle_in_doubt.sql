CREATE OR REPLACE FUNCTION followup.settle_in_doubt(
    p_account bigint, p_message bigint, p_as text, p_actor bigint = NULL, p_note text = NULL)
RETURNS TABLE (message_id bigint, lead_id bigint, state followup.message_state, detail text,
               next_message_id bigint, next_due_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_actor   followup.actor := followup.require_permission(p_account, p_actor, 'reschedule');
    v_real    timestamptz := pg_catalog.clock_timestamp();
    v_now     timestamptz;
    v_rate    double precision;
    v_message followup.message;
    v_state   followup.message_state;
    v_view    record;
BEGIN
    IF p_as IS NULL OR p_as NOT IN ('sent', 'not_sent') THEN
        RAISE EXCEPTION 'settle_in_doubt: "%" is neither sent nor not_sent', p_as USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM followup.require_account(p_account);
    PERFORM followup.lock_messages(ARRAY[p_account], ARRAY[p_message]);
    SELECT k.business, k.rate INTO v_now, v_rate FROM followup.clock() AS k;

    SELECT m.* INTO v_message FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account % has no message %', p_account, p_message USING ERRCODE = 'invalid_parameter_value';
    ELSIF v_message.state <> 'in_doubt' THEN
        RAISE EXCEPTION 'message % is not in doubt: it is %', p_message, v_message.state USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT l.rep_id, v.suppressed, v.conversation_state INTO v_view
      FROM followup.message_to_claim AS v
      LEFT JOIN followup.lead AS l ON l.account_id = v.account_id AND l.id = v.lead_id
     WHERE v.account_id = p_account AND v.id = p_message;
    IF v_actor.own_leads_of IS NOT NULL AND v_view.rep_id IS DISTINCT FROM v_actor.own_leads_of THEN
        RAISE EXCEPTION 'message % is of a lead that is not user %''s', p_message, p_actor USING ERRCODE = 'insufficient_privilege';
    END IF;

    v_state := CASE WHEN p_as = 'sent' THEN 'sent'
                    -- Nobody is to be written to any more: never sent again.
                    WHEN v_message.detached OR v_view.conversation_state = 'ended'
                         OR v_message.conversation_id IS NOT NULL AND v_view.suppressed THEN 'cancelled'
                    ELSE 'scheduled' END;
    UPDATE followup.message AS m
       SET state = v_state,
           posts = CASE WHEN v_state = 'scheduled' THEN 0 ELSE m.posts END,
           due_at = CASE WHEN v_state = 'scheduled' THEN v_now ELSE m.due_at END,
           planned_reason = CASE WHEN v_state = 'scheduled' THEN 'was in doubt; not sent, says ' || v_actor.shown ELSE m.planned_reason END,
           sent_at = CASE WHEN v_state = 'sent'
                          THEN v_now - pg_catalog.make_interval(secs => extract(epoch FROM v_real - m.claimed_at)::double precision * v_rate) END,
           finished_at = CASE WHEN v_state <> 'scheduled' THEN v_now END,
           detail = CASE v_state WHEN 'sent' THEN 'was in doubt; sent, says ' || v_actor.shown
                                 WHEN 'cancelled' THEN 'was in doubt; not sent, says ' || v_actor.shown || ', and nobody is to be written to'
                                 ELSE m.detail END
     WHERE m.account_id = p_account AND m.id = p_message;
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, detail, at)
    VALUES (p_account, v_actor.name, 'settle_in_doubt', v_message.lead_id, p_note,
            pg_catalog.jsonb_build_object('message_id', p_message, 'as', p_as, 'state', v_state), v_now);
    IF v_state <> 'scheduled' THEN
        SELECT n.message_id, n.due_at INTO next_message_id, next_due_at
          FROM followup.after_message(ARRAY[p_account], ARRAY[p_message]) AS n;
    END IF;
    RETURN QUERY
    SELECT m.id, m.lead_id, m.state, CASE WHEN v_state = 'scheduled' THEN m.planned_reason ELSE m.detail END,
           CASE WHEN v_state = 'scheduled' THEN m.id ELSE next_message_id END,
           CASE WHEN v_state = 'scheduled' THEN m.due_at ELSE next_due_at END
      FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
END
$$;
COMMENT ON FUNCTION followup.settle_in_doubt(bigint, bigint, text, bigint, text) IS
    'A person found out what became of a message that is in doubt. p_as sent: it is sent, as of its last POST, and what comes next is planned (after_message). not_sent: scheduled again, now, with a new key; but a detached one, or one whose conversation has ended or whose address is suppressed, is cancelled, never sent again. Logged with p_note. Answers its state and what goes next. Refuses (22023) an unknown message and one that is not in doubt; (42501) a profile without the permission reschedule, and leads that are not the actor''s own.';
