CREATE OR REPLACE FUNCTION followup.follow_hot_lead(p_account bigint, p_plan followup.lead_plan[], p_now timestamptz)
RETURNS followup.lead_plan[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_plan followup.lead_plan[];
BEGIN
    IF p_plan[1].active AND p_plan[1].sub_state = 'follow_up'
       AND EXISTS (SELECT FROM followup.message AS m
                    WHERE m.account_id = p_account AND m.conversation_id = p_plan[1].conversation_id
                      AND m.state = 'scheduled') THEN
        RETURN NULL;    -- the next follow-up is waiting already
    END IF;
    v_plan := ARRAY(SELECT followup.feedback_messages(p_account, p_plan, NULL, p_now));
    IF v_plan[1].reason IS NOT NULL THEN
        PERFORM followup.leave_leads(p_account, p_plan, 'processed', 'responded', 'responded', 'hot lead, nothing left to send');
        RETURN NULL;
    END IF;
    IF p_plan[1].active THEN
        PERFORM followup.take_out_pending(p_account, ARRAY[p_plan[1].conversation_id], 'hot_lead');
    ELSE
        PERFORM followup.reopen_conversations(p_account, v_plan);
    END IF;
    PERFORM followup.schedule_messages(p_account, v_plan, 'hot_lead', 'assistant', NULL);
    RETURN v_plan;
END
$$;
COMMENT ON FUNCTION followup.follow_hot_lead(bigint, followup.lead_plan[], timestamptz) IS
    'A hot lead, active or processed: what is pending makes way for the follow-up, follow_up_delay after p_now; a processed lead''s last conversation is reopened for it. Without a follow-up left, or with a suppressed address, the lead is processed/responded. Answers the plan scheduled, else NULL. The caller holds the locks.';
