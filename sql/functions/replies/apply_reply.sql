CREATE OR REPLACE FUNCTION followup.apply_reply(
    p_account bigint, p_plan followup.lead_plan[], p_follow_up_left boolean, p_outcome text, p_received_at timestamptz,
    p_now timestamptz, p_until timestamptz)
RETURNS followup.lead_plan[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_lead    followup.lead_plan := p_plan[1];
    v_means   record := followup.read_outcome(coalesce(p_outcome, 'lead_to_review'));
    v_by      text := 'assistant: reply of ' || pg_catalog.to_char(p_received_at AT TIME ZONE v_lead.timezone, 'YYYY-MM-DD');
    v_planned followup.lead_plan[];
BEGIN
    CASE v_means.kind
    WHEN 'unsubscribe' THEN
        PERFORM followup.leave_leads(p_account, p_plan, 'unsubscribed', NULL, 'unsubscribed', v_by);
        PERFORM followup.suppress_addresses(p_account, ARRAY[v_lead.lead_id], 'unsubscribed', 'reply', NULL);
    WHEN 'stop' THEN
        IF v_lead.state IN ('new', 'active', 'processed') THEN
            PERFORM followup.leave_leads(p_account, p_plan, 'stopped', NULL, 'stopped', v_by);
        END IF;
    WHEN 'deactivate' THEN
        IF v_lead.state <> 'unsubscribed' THEN
            PERFORM followup.leave_leads(p_account, p_plan, 'deactivated', v_means.sub_state, 'deactivated', v_by);
        END IF;
        -- Whoever has left, or sends us to somebody else, is not the one to win any more.
        IF v_means.sub_state IN ('Retired', 'MovedOut', 'ReferredSomeone') THEN
            UPDATE followup.lead AS l SET status = 'disqualified', status_at = p_now
             WHERE l.account_id = p_account AND l.id = v_lead.lead_id;
        END IF;
    WHEN 'out_of_office' THEN
        PERFORM followup.hold_absent(p_account, ARRAY[v_lead.lead_id], p_until, p_now);
    WHEN 'keep_messaging' THEN
        NULL;
    ELSE
        -- The question is on its way: an answer before it left changes neither the question nor the status.
        IF v_lead.state = 'active' AND v_lead.sub_state = 'follow_up' AND NOT p_follow_up_left
           AND p_outcome IS DISTINCT FROM 'lead_to_review' THEN
            NULL;
        ELSE
            IF v_means.status = 'hot_lead' AND v_lead.state IN ('active', 'processed') THEN
                v_planned := followup.follow_hot_lead(p_account, p_plan, p_now);
            ELSIF v_lead.state IN ('active', 'processed') THEN
                PERFORM followup.leave_leads(p_account, p_plan, 'processed', 'responded', 'responded', v_by);
            END IF;
            UPDATE followup.lead AS l SET status = v_means.status, status_at = p_now
             WHERE l.account_id = p_account AND l.id = v_lead.lead_id;
        END IF;
    END CASE;
    PERFORM followup.log_actions(p_account, ARRAY[v_lead.lead_id], 'lead', 'reply', coalesce(p_outcome, 'lead_to_review'));
    RETURN v_planned;
END
$$;
COMMENT ON FUNCTION followup.apply_reply(bigint, followup.lead_plan[], boolean, text, timestamptz, timestamptz, timestamptz) IS
    'What a reply does to its lead (DESIGN "A reply"). p_outcome NULL: nobody said what it means, a person decides. p_follow_up_left: a follow-up of the conversation is on its way or sent. p_until: of out_of_office, as hold_absent. Answers the plan of the follow-up that it scheduled, else NULL. The caller holds the locks.';
