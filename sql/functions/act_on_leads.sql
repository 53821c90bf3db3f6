CREATE OR REPLACE FUNCTION followup.act_on_leads(
    p_account bigint, p_leads bigint[], p_action followup.lead_action, p_sequence bigint, p_assistant bigint,
    p_at timestamptz, p_actor followup.actor, p_note text, p_disqualified boolean)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_plan      followup.lead_plan[];
    v_scheduled record;
BEGIN
    IF p_action IN ('start', 'restart') THEN
        RETURN QUERY SELECT * FROM followup.open_conversations(p_account, p_leads, p_action, p_sequence, p_assistant, p_at,
                                                               p_actor, p_note, p_disqualified);
        RETURN;
    END IF;
    PERFORM followup.lock_leads(p_account, p_leads);
    v_plan := ARRAY(SELECT followup.plan_action(p_account, p_leads, p_action, NULL, NULL, p_at, followup.now(), p_actor,
                                                p_disqualified));
    IF p_action = 'stop' THEN
        PERFORM followup.leave_leads(p_account, v_plan, 'stopped', NULL, 'stopped', (p_actor).shown);
        PERFORM followup.log_actions(p_account, ARRAY(SELECT p.lead_id FROM unnest(v_plan) AS p WHERE p.reason IS NULL),
                                     (p_actor).name, 'stop', p_note);
        RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_plan, NULL, NULL);
        RETURN;
    END IF;
    IF p_action = 'continue' THEN
        PERFORM followup.reopen_conversations(p_account, v_plan);
    ELSE
        PERFORM followup.take_out_pending(p_account,
            ARRAY(SELECT p.conversation_id FROM unnest(v_plan) AS p WHERE p.reason IS NULL), p_action::text);
    END IF;
    v_scheduled := followup.schedule_messages(p_account, v_plan, p_action::text, (p_actor).name, p_note);
    RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_plan, v_scheduled.leads, v_scheduled.messages);
END
$$;
COMMENT ON FUNCTION followup.act_on_leads(bigint, bigint[], followup.lead_action, bigint, bigint, timestamptz, followup.actor, text, boolean) IS
    'Any of the five actions, with the rights that p_actor brings: the core of the action functions, and of a bulk, which acts later and on another session than the person who asked.';
