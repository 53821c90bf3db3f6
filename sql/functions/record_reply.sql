CREATE OR REPLACE FUNCTION followup.record_reply(
    p_account bigint, p_message bigint, p_from text, p_subject text, p_body text, p_received_at timestamptz = NULL,
    p_outcome text = NULL, p_lead bigint = NULL, p_headers jsonb = NULL)
RETURNS followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_lead     bigint;
    v_now      timestamptz;
    v_left     boolean;
    v_rule     followup.reply_rule;
    v_outcome  text := p_outcome;
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
    IF v_plan[1].reason IS NULL THEN
        v_left := EXISTS (SELECT FROM followup.message AS m
                           WHERE m.account_id = p_account AND m.conversation_id = v_plan[1].conversation_id
                             AND m.kind = 'follow_up' AND m.state NOT IN ('scheduled', 'cancelled', 'failed'));
        IF v_outcome IS NULL THEN
            v_rule := followup.match_reply_rule(p_account, v_left, p_from, p_subject, p_body);
            v_outcome := v_rule.outcome;
        END IF;
        INSERT INTO followup.reply (account_id, message_id, lead_id, from_address, subject, body, headers, received_at, outcome, rule)
        VALUES (p_account, p_message, v_lead, p_from, p_subject, p_body, p_headers, coalesce(p_received_at, v_now),
                coalesce(v_outcome, 'lead_to_review'), v_rule.id::text);
        v_planned := followup.apply_reply(p_account, v_plan, v_left, v_outcome, coalesce(p_received_at, v_now), v_now);
        v_messages := ARRAY(SELECT m.id FROM followup.message AS m
                             WHERE m.account_id = p_account AND m.conversation_id = v_planned[1].conversation_id
                               AND m.state = 'scheduled');
    END IF;
    SELECT * INTO v_result
      FROM followup.action_results(p_account, ARRAY[v_lead], coalesce(v_planned, v_plan), ARRAY[v_lead], v_messages);
    RETURN v_result;
END
$$;
COMMENT ON FUNCTION followup.record_reply(bigint, bigint, text, text, text, timestamptz, text, bigint, jsonb) IS
    'A lead answered, a message of ours (p_message) or anyhow (p_lead). p_outcome: a lead status | stop | unsubscribe | deactivate:<sub_state> | out_of_office | keep_messaging; NULL: what the first matching reply_rule says, else lead_to_review. The reply is stored; what is pending is cancelled and the lead is processed/responded, but for hot_lead (the follow-up is scheduled), out_of_office, keep_messaging, and before a pending follow-up left. p_received_at: business time, default now. message_id and due_at answer a follow-up that this reply scheduled. Unknown lead and message: not_found, nothing is stored; another outcome raises 22023.';
