CREATE OR REPLACE FUNCTION followup.apply_inbound_reply(p_account bigint, p_event jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_match    followup.reply_match;
    v_plan     followup.lead_plan[];
    v_left     boolean := false;
    v_reading  followup.reply_reading;
    v_now      timestamptz;
    v_received timestamptz;
BEGIN
    PERFORM followup.check_account(p_account);
    v_match := followup.match_reply(p_account, p_event);
    IF v_match.lead_id IS NOT NULL THEN
        -- Whoever has them may have them for long, and everybody's events would wait behind this one.
        PERFORM FROM followup.account AS a WHERE a.id = p_account FOR SHARE NOWAIT;
        PERFORM FROM followup.lead AS l WHERE l.account_id = p_account AND l.id = v_match.lead_id FOR NO KEY UPDATE NOWAIT;
        v_plan := followup.fact_plan(p_account, ARRAY[v_match.lead_id]);
    END IF;
    SELECT k.business, k.business - make_interval(secs => greatest(
               extract(epoch FROM clock_timestamp() - (p_event ->> 'occurred_at')::timestamptz)::double precision, 0) * k.rate)
      INTO v_now, v_received FROM followup.clock() AS k;
    v_received := coalesce(v_received, v_now);
    IF v_plan[1].reason IS NULL AND v_match.lead_id IS NOT NULL THEN
        IF EXISTS (SELECT FROM followup.reply AS r
                    WHERE r.account_id = p_account AND r.lead_id = v_match.lead_id AND r.rfc_message_id = p_event ->> 'message_id') THEN
            RETURN 'repeated';
        END IF;
        v_left := followup.follow_up_left(p_account, v_plan[1].conversation_id);
        v_reading := followup.read_lead_reply(p_account, v_plan[1], v_left, p_event, v_received);
        v_reading.bounce := CASE WHEN v_match.message_id IS NOT NULL THEN v_reading.bounce END;
        -- An address proves nothing by itself. What only spares its own lead is done all the same; the rest a person decides.
        IF v_match.proved OR v_reading.outcome IN ('unsubscribe', 'stop', 'out_of_office', 'keep_messaging') THEN
            PERFORM followup.take_reply(p_account, v_match, v_plan[1], v_left, p_event, v_reading, v_received, v_now);
            RETURN v_match.matched_by;
        END IF;
    ELSE
        v_reading := followup.read_lead_reply(p_account, NULL, v_left, p_event, v_received);
    END IF;
    INSERT INTO followup.reply (account_id, from_address, subject, body, headers, received_at, outcome, rule, automatic, until, contact,
                                alert, rfc_message_id)
    VALUES (p_account, p_event ->> 'from', p_event ->> 'subject', coalesce(p_event ->> 'text', p_event ->> 'full_text'), p_event -> 'headers',
            v_received, coalesce(v_reading.outcome, 'lead_to_review'), v_reading.rule, v_reading.automatic, v_reading.until, v_reading.contact,
            v_reading.alert, p_event ->> 'message_id');
    RETURN 'unmatched';
END
$$;
COMMENT ON FUNCTION followup.apply_inbound_reply(bigint, jsonb) IS
    'A mail came in: the typed reply of src/inbound (recipients, from, sender, subject, text, full_text, message_id, in_reply_to, references, headers, spf, dkim, dmarc, classified). Finds its lead (match_reply), reads it (read_reply), keeps it, and does what it means, in the caller''s transaction. Answers how it was matched (token, in_reply_to, references, address), unmatched (kept for a person: replies_to_settle; no lead was touched) or repeated (this lead''s reply of this Message-ID was applied before: nothing happens). The inbox gives each event once. Raises 55P03 when somebody else has the lead or the account: it is to be tried again.';
