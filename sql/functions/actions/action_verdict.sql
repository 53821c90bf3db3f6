-- The action table: what the state of a lead says to an action. What else may refuse (a suppressed address, no steps, a
-- permission) is asked where the action is done.
CREATE OR REPLACE FUNCTION followup.action_verdict(
    p_action followup.lead_action, p_state followup.lead_state, p_sub_state followup.lead_sub_state)
RETURNS followup.skip_reason
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (CASE p_action
            WHEN 'start' THEN
                CASE p_state WHEN 'new' THEN p_sub_state::text WHEN 'active' THEN 'already_active' WHEN 'processed' THEN 'already_started'
                             ELSE p_state::text END
            WHEN 'skip' THEN
                CASE WHEN p_state <> 'active' THEN 'inactive' WHEN p_sub_state = 'follow_up' THEN 'already_follow_up' END
            WHEN 'stop' THEN
                CASE WHEN p_state <> 'active' THEN 'inactive' END
            WHEN 'continue' THEN
                CASE p_state WHEN 'new' THEN 'never_started' WHEN 'active' THEN 'already_active' WHEN 'processed' THEN NULL
                             ELSE p_state::text END
            WHEN 'restart' THEN
                CASE WHEN p_state = 'new' THEN p_sub_state::text
                     WHEN p_state IN ('stopped', 'unsubscribed', 'deactivated') THEN p_state::text END
            END)::followup.skip_reason
$$;
COMMENT ON FUNCTION followup.action_verdict(followup.lead_action, followup.lead_state, followup.lead_sub_state) IS
    'Why this action leaves a lead in this state alone; NULL: it goes on. A new lead whose address is being checked is not started: validating.';
