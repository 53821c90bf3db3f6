CREATE OR REPLACE FUNCTION followup.unsubscribe_lead(
    p_account bigint, p_lead bigint, p_reason text, p_actor followup.actor, p_note text)
RETURNS followup.lead_plan[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_plan followup.lead_plan[] := followup.fact_plan(p_account, ARRAY[p_lead], p_actor);
BEGIN
    IF v_plan[1].reason = 'not_own_lead' THEN
        RETURN v_plan;
    ELSIF v_plan[1].state = 'unsubscribed' THEN
        v_plan[1].reason := 'unsubscribed';
    ELSIF v_plan[1].reason IS NULL THEN
        PERFORM followup.leave_leads(p_account, v_plan, 'unsubscribed', NULL, 'unsubscribed', p_actor.shown);
        PERFORM followup.log_actions(p_account, ARRAY[p_lead], p_actor.name, 'unsubscribe', p_note);
    END IF;
    PERFORM followup.suppress_addresses(p_account, ARRAY[p_lead], p_reason, p_actor.name, p_note);
    RETURN v_plan;
END
$$;
COMMENT ON FUNCTION followup.unsubscribe_lead(bigint, bigint, text, followup.actor, text) IS
    'Internal: the lead is never written to again, from any state; its address is suppressed for p_reason (unsubscribed, complained). Answers its plan, with the reason why nothing was done where nothing was: unsubscribed, not_found, not_own_lead (only of p_actor''s own).';
