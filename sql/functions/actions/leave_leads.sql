CREATE OR REPLACE FUNCTION followup.leave_leads(
    p_account bigint, p_plan followup.lead_plan[], p_state followup.lead_state, p_sub_state followup.lead_sub_state,
    p_reason followup.ended_reason, p_by text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    -- A conversation that had ended keeps its end, but for the reason by which the lead's state is explained now.
    UPDATE followup.conversation AS c
       SET ended_reason = p_reason, ended_by = p_by
      FROM unnest(p_plan) AS p
     WHERE p.reason IS NULL AND NOT p.active AND c.account_id = p_account AND c.id = p.conversation_id AND c.state = 'ended';
    PERFORM followup.end_conversations(p_account,
        ARRAY(SELECT p.conversation_id FROM unnest(p_plan) AS p WHERE p.reason IS NULL AND p.active), p_reason, p_by);
    UPDATE followup.lead AS l
       SET state = p_state, sub_state = p_sub_state
      FROM unnest(p_plan) AS p
     WHERE p.reason IS NULL AND l.account_id = p_account AND l.id = p.lead_id;
END
$$;
COMMENT ON FUNCTION followup.leave_leads(bigint, followup.lead_plan[], followup.lead_state, followup.lead_sub_state, followup.ended_reason, text) IS
    'Ends the active conversations of the plan and gives its leads a state other than active. The caller holds the locks.';
