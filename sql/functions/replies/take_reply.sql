CREATE OR REPLACE FUNCTION followup.take_reply(
    p_account bigint, p_match followup.reply_match, p_plan followup.lead_plan, p_left boolean, p_event jsonb,
    p_reading followup.reply_reading, p_received_at timestamptz, p_now timestamptz)
RETURNS followup.lead_plan[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_planned followup.lead_plan[];
    v_absent  bigint[];
BEGIN
    INSERT INTO followup.reply (account_id, message_id, lead_id, from_address, subject, body, headers, received_at, outcome, rule,
                                matched_by, automatic, until, contact, alert, rfc_message_id)
    VALUES (p_account, p_match.message_id, p_match.lead_id, p_event ->> 'from', p_event ->> 'subject',
            coalesce(p_event ->> 'text', p_event ->> 'full_text'), p_event -> 'headers', p_received_at,
            coalesce(p_reading.outcome, 'lead_to_review'), p_reading.rule, p_match.matched_by, coalesce(p_reading.automatic, false),
            p_reading.until, p_reading.contact, p_reading.alert, p_event ->> 'message_id');
    IF p_reading.bounce IS NOT NULL THEN
        PERFORM followup.record_bounce(p_account, p_match.message_id, p_reading.bounce, left(p_reading.rule, 200));
    ELSE
        v_planned := followup.apply_reply(p_account, ARRAY[p_plan], p_left, p_reading.outcome, p_received_at, p_now,
                                          coalesce(p_reading.until, p_received_at + '7 days'::interval));
    END IF;
    IF p_reading.alert IS NOT NULL THEN
        PERFORM followup.log_actions(p_account, ARRAY[p_match.lead_id], 'assistant', 'alert', p_reading.alert || ' in a reply');
    END IF;
    RETURN v_planned;
END
$$;
COMMENT ON FUNCTION followup.take_reply(bigint, followup.reply_match, followup.lead_plan, boolean, jsonb, followup.reply_reading, timestamptz, timestamptz) IS
    'Internal: keeps a reply that was matched and read, and does what it means; an alert goes into the record too. Answers what apply_reply scheduled. The caller holds the locks.';
