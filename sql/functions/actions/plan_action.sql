CREATE OR REPLACE FUNCTION followup.plan_action(
    p_account bigint, p_leads bigint[], p_action followup.lead_action, p_sequence bigint, p_assistant bigint,
    p_at timestamptz, p_now timestamptz, p_actor followup.actor, p_disqualified boolean)
RETURNS SETOF followup.lead_plan
LANGUAGE plpgsql STABLE AS $$
BEGIN
    CASE p_action
    WHEN 'start', 'restart' THEN
        RETURN QUERY SELECT * FROM followup.first_steps(p_account, p_leads, p_action, p_sequence, p_assistant, p_at, p_now,
                                                        p_actor, p_disqualified);
    WHEN 'continue' THEN
        RETURN QUERY SELECT * FROM followup.continuations(p_account, p_leads, p_at, p_now, p_actor, p_disqualified);
    WHEN 'skip' THEN
        RETURN QUERY SELECT * FROM followup.feedback_messages(
            p_account, ARRAY(SELECT followup.read_leads(p_account, p_leads, 'skip', p_actor)), p_at, p_now);
    WHEN 'stop' THEN
        RETURN QUERY SELECT * FROM followup.read_leads(p_account, p_leads, 'stop', p_actor);
    END CASE;
END
$$;
COMMENT ON FUNCTION followup.plan_action(bigint, bigint[], followup.lead_action, bigint, bigint, timestamptz, timestamptz, followup.actor, boolean) IS
    'What an action would do with each lead, or why not, by the functions that the action itself asks; it changes nothing.';
