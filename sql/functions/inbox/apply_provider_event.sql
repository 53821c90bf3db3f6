CREATE OR REPLACE FUNCTION followup.apply_provider_event(
    p_account bigint, p_message bigint, p_lead bigint, p_kind followup.event_kind, p_occurred_at timestamptz, p_event jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_detail  text := p_event ->> 'detail';
    v_id      text := nullif(pg_catalog.regexp_replace(p_event ->> 'provider_message_id', '\.(filter|recvd).*$', ''), '');
    v_rfc_id  text := CASE p_event ->> 'provider_type' WHEN 'ses' THEN p_event ->> 'rfc_message_id' END;    -- it writes its own
    v_machine boolean := coalesce(p_event ->> 'machine', '') = 'true';
    v_class   record;
BEGIN
    IF p_kind IN ('accepted', 'delayed', 'opened', 'clicked', 'delivered') THEN
        -- Whatever happened to it, it had left: that settles what is in flight or in doubt.
        PERFORM followup.apply_event(p_account, p_message,
            (CASE p_kind WHEN 'delivered' THEN 'delivered' ELSE 'sent' END)::followup.message_state, p_occurred_at, v_detail, v_id, v_rfc_id);
        IF p_kind IN ('opened', 'clicked') THEN
            UPDATE followup.lead AS l
               SET opens = l.opens + (p_kind = 'opened' AND NOT v_machine)::integer,
                   machine_opens = l.machine_opens + (p_kind = 'opened' AND v_machine)::integer,
                   clicks = l.clicks + (p_kind = 'clicked')::integer
             WHERE l.account_id = p_account AND l.id = p_lead;
        END IF;
        RETURN;
    END IF;

    v_class := followup.bounce_class(p_kind, p_event);
    IF p_event ->> 'bounce_kind' IN ('hard', 'soft', 'block') THEN      -- of record_event's caller, who judged it
        v_class.class := p_event ->> 'bounce_kind';
    END IF;
    IF v_class.class = 'auto_reply' THEN
        PERFORM followup.apply_event(p_account, p_message, 'delivered', p_occurred_at, NULL, v_id);
    ELSIF v_class.class IN ('complaint', 'unsubscribe') THEN
        PERFORM followup.apply_event(p_account, p_message,
            (CASE WHEN p_kind = 'failed' THEN 'failed' WHEN v_class.class = 'complaint' THEN 'complained' ELSE 'sent' END)::followup.message_state, p_occurred_at, v_detail, v_id, v_rfc_id);
        IF p_lead IS NOT NULL AND v_class.class = 'complaint' THEN
            PERFORM followup.unsubscribe_lead(p_account, p_lead, 'complained', ROW('provider', 'a complaint', true, NULL), 'complaint');
        ELSIF p_lead IS NOT NULL THEN
            PERFORM followup.unsubscribe_lead(p_account, p_lead, 'unsubscribed', ROW('lead', 'the lead', true, NULL), v_detail);
        END IF;
        -- The address that was written to, if the lead has another one since.
        PERFORM followup.write_suppressions(p_account, ARRAY[m.recipient], CASE v_class.class WHEN 'complaint' THEN 'complained' ELSE 'unsubscribed' END,
                                            'provider', v_detail)
           FROM followup.message AS m
          WHERE m.account_id = p_account AND m.id = p_message AND p_lead IS NOT NULL AND m.recipient IS NOT NULL;
    ELSIF p_lead IS NULL THEN       -- an alert came back: nobody to deactivate
        PERFORM followup.apply_event(p_account, p_message, p_kind::text::followup.message_state, p_occurred_at, v_detail, v_id);
    ELSIF p_kind = 'failed' AND v_class.class <> 'hard' THEN
        IF followup.apply_event(p_account, p_message, 'failed', p_occurred_at, v_detail, v_id) AND v_class.alert THEN
            PERFORM followup.note_bounce(p_account, p_message, v_class.class, true, v_detail, followup.now());
        END IF;
    ELSE
        PERFORM followup.bounce_message(p_account, p_message, p_lead, v_class.class, v_class.alert, v_detail,
                                        p_kind::text::followup.message_state, p_occurred_at);
    END IF;
END
$$;
COMMENT ON FUNCTION followup.apply_provider_event(bigint, bigint, bigint, followup.event_kind, timestamptz, jsonb) IS
    'Internal: what a typed event about a message (NULL: only its lead is known) and its lead (NULL: an alert) does. accepted, delayed, opened and clicked settle as sent what is sending or in doubt; delivered and failed move the message; opens, clicks and opens by machines are counted; bounces go by bounce_class; complaint and unsubscribe end everything. Only forward: told again, late or in another order it changes nothing. The caller holds the locks (lock_messages, and lock_leads for what is not accepted, delivered or counted). p_occurred_at: real time.';
