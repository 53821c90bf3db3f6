CREATE OR REPLACE FUNCTION followup.act_on_locked(
    p_account bigint, p_leads bigint[], p_action followup.lead_action, p_sequence bigint, p_assistant bigint,
    p_at timestamptz, p_actor followup.actor, p_note text, p_disqualified boolean,
    OUT plan followup.lead_plan[], OUT leads bigint[], OUT messages bigint[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now       timestamptz := followup.now();
    v_scheduled record;
BEGIN
    plan := ARRAY(SELECT p FROM followup.plan_action(p_account, p_leads, p_action, p_sequence, p_assistant, p_at, v_now, p_actor,
                                                     p_disqualified) AS p);
    IF p_action = 'stop' THEN
        PERFORM followup.leave_leads(p_account, plan, 'stopped', NULL, 'stopped', (p_actor).shown);
        PERFORM followup.log_actions(p_account, ARRAY(SELECT p.lead_id FROM unnest(plan) AS p WHERE p.reason IS NULL),
                                     (p_actor).name, 'stop', p_note);
        RETURN;
    ELSIF p_action IN ('start', 'restart') THEN
        v_scheduled := followup.open_conversations(p_account, plan, p_action::text, v_now, p_actor, p_note);
    ELSE
        IF p_action = 'continue' THEN
            PERFORM followup.reopen_conversations(p_account, plan);
        ELSE
            PERFORM followup.take_out_pending(p_account,
                ARRAY(SELECT p.conversation_id FROM unnest(plan) AS p WHERE p.reason IS NULL), p_action::text);
        END IF;
        v_scheduled := followup.schedule_messages(p_account, plan, p_action::text, (p_actor).name, p_note);
    END IF;
    leads := v_scheduled.leads;
    messages := v_scheduled.messages;
END
$$;
COMMENT ON FUNCTION followup.act_on_locked(bigint, bigint[], followup.lead_action, bigint, bigint, timestamptz, followup.actor, text, boolean) IS
    'Any of the five actions, on leads that the caller has locked (lock_leads): plans and writes. Answers the plan, and in parallel arrays what was scheduled for which lead.';
