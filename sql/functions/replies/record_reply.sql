CREATE OR REPLACE FUNCTION followup.record_reply(
    p_account bigint, p_message bigint, p_from text, p_subject text, p_body text, p_received_at timestamptz = NULL,
    p_outcome text = NULL, p_lead bigint = NULL, p_headers jsonb = NULL, p_until timestamptz = NULL)
RETURNS followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_lead     bigint;
    v_now      timestamptz;
    v_received timestamptz;
    v_left     boolean;
    v_event    jsonb := pg_catalog.jsonb_build_object('from', p_from, 'subject', p_subject, 'text', p_body, 'headers', p_headers);
    v_reading  followup.reply_reading;
    v_plan     followup.lead_plan[];
    v_planned  followup.lead_plan[];
    v_messages bigint[];
    v_result   followup.action_result;
BEGIN
    PERFORM followup.check_account(p_account);
    PERFORM followup.read_outcome(p_outcome) WHERE p_outcome IS NOT NULL;
    SELECT m.lead_id INTO v_lead FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
    IF p_lead <> v_lead THEN
        RAISE EXCEPTION 'record_reply: message % went to lead %, not to %', p_message, v_lead, p_lead
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    v_lead := coalesce(p_lead, v_lead);
    v_plan := followup.fact_plan(p_account, ARRAY[v_lead]);
    v_now := followup.now();
    v_received := coalesce(p_received_at, v_now);
    IF v_plan[1].reason IS NULL THEN
        v_left := followup.follow_up_left(p_account, v_plan[1].conversation_id);
        IF p_outcome IS NULL THEN
            v_reading := followup.read_lead_reply(p_account, v_plan[1], v_left, v_event, v_received);
            v_reading.bounce := CASE WHEN p_message IS NOT NULL THEN v_reading.bounce END;
        ELSE
            v_reading.outcome := p_outcome;
            v_reading.until := p_until;
        END IF;
        v_planned := followup.take_reply(p_account, ROW(p_message, v_lead, NULL, true)::followup.reply_match, v_plan[1], v_left, v_event,
                                         v_reading, v_received, v_now);
        v_messages := ARRAY(SELECT m.id FROM followup.message AS m
                             WHERE m.account_id = p_account AND m.conversation_id = v_planned[1].conversation_id
                               AND m.state = 'scheduled');
    END IF;
    SELECT * INTO v_result
      FROM followup.action_results(p_account, ARRAY[v_lead], coalesce(v_planned, v_plan), ARRAY[v_lead], v_messages);
    RETURN v_result;
END
$$;
COMMENT ON FUNCTION followup.record_reply(bigint, bigint, text, text, text, timestamptz, text, bigint, jsonb, timestamptz) IS
    'A lead answered, a message of ours (p_message) or anyhow (p_lead). p_outcome: a lead status | stop | unsubscribe | deactivate:<sub_state> | out_of_office (until p_until; NULL: 7 days) | keep_messaging; NULL: what read_reply reads in it, else lead_to_review. The reply is stored; what is pending is cancelled and the lead is processed/responded, but for hot_lead (the follow-up is scheduled), out_of_office, keep_messaging, and before a pending follow-up left. p_received_at: business time, default now. message_id and due_at answer a follow-up that this reply scheduled. Unknown lead and message: not_found, nothing is stored; another outcome raises 22023.';
