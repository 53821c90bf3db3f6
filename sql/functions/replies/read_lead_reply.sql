CREATE OR REPLACE FUNCTION followup.read_lead_reply(
    p_account bigint, p_plan followup.lead_plan, p_left boolean, p_event jsonb, p_received_at timestamptz)
RETURNS followup.reply_reading
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_reading followup.reply_reading;
BEGIN
    v_reading := followup.read_reply(p_account, p_left, p_event,
        coalesce(p_plan.timezone, (SELECT followup.lead_timezone(NULL, a.timezone) FROM followup.account AS a WHERE a.id = p_account)),
        p_received_at,
        (SELECT pg_catalog.array_agg(k.address) FROM (
             SELECT lower(l.email) AS address FROM followup.lead AS l WHERE l.account_id = p_account AND l.id = p_plan.lead_id
             UNION ALL SELECT lower(s.from_address) FROM followup.assistant AS s WHERE s.account_id = p_account
             UNION ALL SELECT lower(r) FROM pg_catalog.jsonb_array_elements_text(followup.as_array(p_event -> 'recipients')) AS r) AS k));
    -- The older statuses have a word of their own for a lead whom nobody has helped yet.
    IF v_reading.outcome = 'further_action'
       AND EXISTS (SELECT FROM followup.conversation AS c
                    WHERE c.account_id = p_account AND c.id = p_plan.conversation_id AND c.status_set = 'older') THEN
        v_reading.outcome := 'lead_at_risk';
    END IF;
    RETURN v_reading;
END
$$;
COMMENT ON FUNCTION followup.read_lead_reply(bigint, followup.lead_plan, boolean, jsonb, timestamptz) IS
    'read_reply for a lead: in its zone (the account''s for nobody''s reply), knowing its own and our addresses, in the statuses of its conversation (older: lead_at_risk for further_action).';
