CREATE OR REPLACE FUNCTION followup.bounce_message(
    p_account bigint, p_message bigint, p_lead bigint, p_class followup.bounce_kind, p_alert boolean, p_detail text,
    p_state followup.message_state, p_occurred_at timestamptz, p_at timestamptz = NULL)
RETURNS followup.lead_plan[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now    timestamptz := coalesce(p_at, followup.now());
    v_plan   followup.lead_plan[] := followup.fact_plan(p_account, ARRAY[p_lead]);
    v_class  followup.bounce_kind := p_class;      -- by which the lead is treated
    v_effect record;
BEGIN
    IF v_plan[1].reason IS NOT NULL THEN
        RETURN v_plan;
    END IF;
    -- What comes back from an address that is the lead's no more says nothing of the one it has now.
    IF p_class IN ('hard', 'unknown') AND EXISTS (
           SELECT FROM followup.message AS m JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
            WHERE m.account_id = p_account AND m.id = p_message AND lower(m.recipient) <> lower(l.email)) THEN
        v_class := 'block';
    END IF;
    -- The sequence goes on after a block: if this is the first to tell that it left, what follows is planned. And what was to
    -- be sent again had left then.
    IF v_class = 'block' OR p_state = 'bounced' AND EXISTS (
           SELECT FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message AND m.state = 'scheduled') THEN
        PERFORM followup.apply_event(p_account, p_message, 'sent', p_occurred_at, NULL);
    END IF;
    UPDATE followup.message AS m
       SET state = p_state, finished_at = v_now, detail = p_detail
     WHERE m.account_id = p_account AND m.id = p_message
       AND m.state IN ('sending', 'in_doubt', 'sent', 'delivered') AND (p_state = 'bounced' OR m.state <> 'delivered');
    IF NOT FOUND THEN
        v_plan[1].reason := 'inactive';
        RETURN v_plan;
    END IF;
    PERFORM followup.note_bounce(p_account, p_message, p_class, p_alert, p_detail, v_now);
    v_effect := followup.bounce_effect(p_account, p_message, v_class);
    IF v_effect.effect = 'retry' THEN
        v_plan := followup.bounce_retry(p_account, p_message, v_plan, v_effect.wait);
        PERFORM followup.take_out_pending(p_account, ARRAY[v_plan[1].conversation_id], 'the message before bounced');
        PERFORM followup.schedule_messages(p_account, v_plan, 'soft_bounce', 'provider', p_detail);
        RETURN v_plan;
    ELSIF v_effect.effect = 'deactivate' AND v_plan[1].state NOT IN ('unsubscribed', 'deactivated') THEN
        PERFORM followup.leave_leads(p_account, v_plan, 'deactivated',
            (CASE p_class WHEN 'unknown' THEN 'CannotDetermine' ELSE 'BounceDeactivated' END)::followup.lead_sub_state,
            'deactivated', pg_catalog.concat_ws(': ', v_effect.what, p_detail));
    END IF;
    IF p_class = 'hard' THEN
        PERFORM followup.write_suppressions(p_account, ARRAY[coalesce(m.recipient, l.email)], 'bounce', 'provider', p_detail)
           FROM followup.message AS m JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
          WHERE m.account_id = p_account AND m.id = p_message;
    END IF;
    PERFORM followup.log_actions(p_account, ARRAY[p_lead], 'provider', 'bounce', p_detail, ARRAY[p_message]);
    RETURN v_plan;
END
$$;
COMMENT ON FUNCTION followup.bounce_message(bigint, bigint, bigint, followup.bounce_kind, boolean, text, followup.message_state, timestamptz, timestamptz) IS
    'Internal: a message to a lead came back (p_state bounced) or was not sent because of its address (failed), and what that does by its class: see record_bounce. Answers the lead''s plan: reason inactive where the message''s state does not allow it. p_alert: the account''s alerts show it. p_occurred_at: real time; p_at: business time.';
