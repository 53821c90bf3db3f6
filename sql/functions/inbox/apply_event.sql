CREATE OR REPLACE FUNCTION followup.apply_event(
    p_account bigint, p_message bigint, p_state followup.message_state, p_occurred_at timestamptz, p_detail text,
    p_provider_id text = NULL, p_rfc_id text = NULL)
RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_from    followup.message_state[] := CASE p_state
                  WHEN 'sent' THEN '{scheduled,sending,in_doubt}'
                  WHEN 'delivered' THEN '{scheduled,sending,in_doubt,sent}'
                  WHEN 'failed' THEN '{sending,in_doubt,sent}'
                  WHEN 'bounced' THEN '{scheduled,sending,in_doubt,sent,delivered}'
                  WHEN 'complained' THEN '{scheduled,sending,in_doubt,sent,delivered,bounced}'
                  ELSE '{}' END;
    v_pending boolean;
    v_now     timestamptz;
    v_sent    timestamptz;
BEGIN
    SELECT m.pending, k.business, k.business - pg_catalog.make_interval(secs => k.rate * greatest(
               extract(epoch FROM pg_catalog.clock_timestamp() - greatest(p_occurred_at, m.claimed_at))::double precision, 0))
      INTO v_pending, v_now, v_sent
      FROM followup.message AS m
     CROSS JOIN followup.clock() AS k
     WHERE m.account_id = p_account AND m.id = p_message AND m.state = ANY (v_from)
       -- Scheduled with a key that was used: it was taken for not sent, and this proves that it was.
       AND (m.state <> 'scheduled' OR m.attempts > 0);
    IF NOT FOUND THEN       -- the usual end: it was told before, or something later was
        RETURN false;
    END IF;
    UPDATE followup.message AS m
       SET state = p_state,
           sent_at = CASE WHEN p_state = 'failed' THEN m.sent_at ELSE coalesce(m.sent_at, CASE WHEN m.state = 'scheduled' THEN v_sent ELSE greatest(v_sent, m.due_at) END) END,
           due_at = CASE WHEN m.state = 'scheduled' THEN least(m.due_at, v_sent) ELSE m.due_at END,
           finished_at = coalesce(m.finished_at, v_now),
           detail = coalesce(p_detail, CASE m.state WHEN 'scheduled' THEN 'was to be sent again; the provider told that it had left' ELSE m.detail END),
           provider_message_id = coalesce(m.provider_message_id, p_provider_id),
           rfc_message_id = CASE WHEN m.state IN ('scheduled', 'sending', 'in_doubt') THEN coalesce(p_rfc_id, m.rfc_message_id) ELSE m.rfc_message_id END
     WHERE m.account_id = p_account AND m.id = p_message;
    IF v_pending AND p_state <> 'bounced' THEN
        PERFORM followup.after_message(ARRAY[p_account], ARRAY[p_message]);
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION followup.apply_event(bigint, bigint, followup.message_state, timestamptz, text, text, text) IS
    'Internal: a provider''s event moves the message forward to sent, delivered, failed, bounced or complained, if its state allows; false: it does not. One that was scheduled again, because it was taken for not sent, is settled too, unless it failed. What comes next is planned when the event is the first to tell that it left; of a bounce that is the caller''s. p_occurred_at: real time; a clock that is wrong makes no message leave before it was claimed, or was due. p_provider_id: kept where none is known. p_rfc_id: the Message-ID that the provider put in place of ours; kept when no answer told it before. The caller holds the locks of lock_messages.';
