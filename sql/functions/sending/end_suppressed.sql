CREATE OR REPLACE FUNCTION followup.end_suppressed(p_account bigint, p_message bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_lead         bigint;
    v_conversation bigint;
BEGIN
    SELECT m.lead_id, m.conversation_id INTO v_lead, v_conversation
      FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
    PERFORM FROM followup.lead AS l WHERE l.account_id = p_account AND l.id = v_lead FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM FROM followup.conversation AS c
      WHERE c.account_id = p_account AND c.id = v_conversation FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM followup.end_conversations(p_account, ARRAY[v_conversation], 'suppressed', 'a suppressed address');
    UPDATE followup.lead AS l SET state = 'stopped', sub_state = NULL
     WHERE l.account_id = p_account AND l.id = v_lead AND l.state = 'active';
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, detail, at)
    VALUES (p_account, 'engine', 'suppressed', v_lead, 'its address was found suppressed when a message was due',
            pg_catalog.jsonb_build_object('message_id', p_message), followup.now());
    RETURN true;
END
$$;
COMMENT ON FUNCTION followup.end_suppressed(bigint, bigint) IS
    'Internal: the message that was due has a suppressed address. Cancels it and ends its conversation (reason suppressed); the lead is stopped. False: lead or conversation is locked by somebody; ask again. Waits for nobody.';
