CREATE OR REPLACE FUNCTION followup.apply_event(
    p_account bigint, p_message bigint, p_kind followup.event_kind, p_occurred_at timestamptz, p_detail text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_moved   boolean;
    v_pending boolean;
    v_now     timestamptz;
    v_rate    double precision;
BEGIN
    PERFORM followup.lock_messages(ARRAY[p_account], ARRAY[p_message]);
    SELECT m.pending INTO v_pending FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
    SELECT k.business, k.rate INTO v_now, v_rate FROM followup.clock() AS k;
    UPDATE followup.message AS m
       SET state = p_kind::text::followup.message_state,
           sent_at = CASE WHEN p_kind = 'failed' THEN m.sent_at
                          ELSE coalesce(m.sent_at, v_now - pg_catalog.make_interval(secs => greatest(
                                   extract(epoch FROM pg_catalog.clock_timestamp() - greatest(p_occurred_at, m.claimed_at))::double precision,
                                   0) * v_rate)) END,
           finished_at = coalesce(m.finished_at, v_now),
           detail = coalesce(p_detail, m.detail)
     WHERE m.account_id = p_account AND m.id = p_message
       AND CASE p_kind WHEN 'delivered' THEN m.state IN ('sending', 'in_doubt', 'sent')
                       WHEN 'failed' THEN m.state IN ('sending', 'in_doubt', 'sent')
                       WHEN 'complained' THEN m.state IN ('sending', 'in_doubt', 'sent', 'delivered', 'bounced')
                       ELSE false END;
    v_moved := FOUND;
    IF v_moved AND v_pending THEN
        PERFORM followup.after_message(ARRAY[p_account], ARRAY[p_message]);
    END IF;
    RETURN v_moved;
END
$$;
COMMENT ON FUNCTION followup.apply_event(bigint, bigint, followup.event_kind, timestamptz, text) IS
    'Internal: delivered, failed or complained moves the message forward, if its state allows, and what comes next is planned when the event is the first to tell that it left. p_occurred_at: real time; a clock that is wrong makes no message leave before it was claimed.';
