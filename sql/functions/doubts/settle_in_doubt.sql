CREATE OR REPLACE FUNCTION followup.settle_in_doubt(
    p_account bigint, p_message bigint, p_as text, p_actor bigint = NULL, p_note text = NULL)
RETURNS TABLE (message_id bigint, lead_id bigint, state followup.message_state, detail text,
               next_message_id bigint, next_due_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_actor   followup.actor := followup.require_permission(p_account, p_actor, 'reschedule');
    v_message followup.message;
    v_says    text := 'was in doubt; ' || CASE p_as WHEN 'sent' THEN 'sent' ELSE 'not sent' END || ', says ' || v_actor.shown;
BEGIN
    IF p_as IS NULL OR p_as NOT IN ('sent', 'not_sent') THEN
        RAISE EXCEPTION 'settle_in_doubt: "%" is neither sent nor not_sent', p_as USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM followup.require_account(p_account);
    PERFORM followup.lock_messages(ARRAY[p_account], ARRAY[p_message]);
    SELECT m.* INTO v_message FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account % has no message %', p_account, p_message USING ERRCODE = 'invalid_parameter_value';
    ELSIF v_message.state <> 'in_doubt' THEN
        RAISE EXCEPTION 'message % is not in doubt: it is %', p_message, v_message.state USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT followup.is_own(v_actor, (SELECT l.rep_id FROM followup.lead AS l WHERE l.account_id = p_account AND l.id = v_message.lead_id)) THEN
        RAISE EXCEPTION 'message % is of a lead that is not user %''s', p_message, p_actor USING ERRCODE = 'insufficient_privilege';
    END IF;

    SELECT n.message_id, n.due_at INTO next_message_id, next_due_at
      FROM followup.settle_doubts(ARRAY[p_account], ARRAY[p_message], ARRAY[p_as = 'sent'], NULL,
                                  v_says, v_says || ', and nobody is to be written to', v_says) AS n;
    SELECT m.* INTO v_message FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, detail, at)
    VALUES (p_account, v_actor.name, 'settle_in_doubt', v_message.lead_id, p_note,
            pg_catalog.jsonb_build_object('message_id', p_message, 'as', p_as, 'state', v_message.state), followup.now());
    RETURN QUERY SELECT p_message, v_message.lead_id, v_message.state,
                        CASE v_message.state WHEN 'scheduled' THEN v_message.planned_reason ELSE v_message.detail END,
                        next_message_id, next_due_at;
END
$$;
COMMENT ON FUNCTION followup.settle_in_doubt(bigint, bigint, text, bigint, text) IS
    'A person found out what became of a message that is in doubt. p_as sent: it is sent, as of its last POST, and what comes next is planned (after_message). not_sent: scheduled again, now, with a new key; but a detached one, or one whose conversation has ended or whose address is suppressed, is cancelled, never sent again. Logged with p_note. Answers its state and what goes next. Refuses (22023) an unknown message and one that is not in doubt; (42501) a profile without the permission reschedule, and leads that are not the actor''s own.';
