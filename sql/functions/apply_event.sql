CREATE OR REPLACE FUNCTION followup.apply_event(
    p_account bigint, p_message bigint, p_state followup.message_state, p_occurred_at timestamptz, p_detail text,
    p_provider_id text = NULL)
RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_moved   boolean;
    v_pending boolean;
    v_now     timestamptz;
    v_rate    double precision;
BEGIN
    SELECT m.pending INTO v_pending FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
    SELECT k.business, k.rate INTO v_now, v_rate FROM followup.clock() AS k;
    UPDATE followup.message AS m
       SET state = p_state,
           sent_at = CASE WHEN p_state = 'failed' THEN m.sent_at
                          ELSE coalesce(m.sent_at, v_now - pg_catalog.make_interval(secs => greatest(
                                   extract(epoch FROM pg_catalog.clock_timestamp() - greatest(p_occurred_at, m.claimed_at))::double precision,
                                   0) * v_rate)) END,
           finished_at = coalesce(m.finished_at, v_now),
           detail = coalesce(p_detail, m.detail),
           provider_message_id = coalesce(m.provider_message_id, p_provider_id)
     WHERE m.account_id = p_account AND m.id = p_message
       AND CASE p_state WHEN 'sent' THEN m.state IN ('sending', 'in_doubt')
                        WHEN 'delivered' THEN m.state IN ('sending', 'in_doubt', 'sent')
                        WHEN 'failed' THEN m.state IN ('sending', 'in_doubt', 'sent')
                        WHEN 'bounced' THEN m.state IN ('sending', 'in_doubt', 'sent', 'delivered')
                        WHEN 'complained' THEN m.state IN ('sending', 'in_doubt', 'sent', 'delivered', 'bounced')
                        ELSE false END;
    v_moved := FOUND;
    IF v_moved AND v_pending AND p_state <> 'bounced' THEN
        PERFORM followup.after_message(ARRAY[p_account], ARRAY[p_message]);
    END IF;
    RETURN v_moved;
END
$$;
COMMENT ON FUNCTION followup.apply_event(bigint, bigint, followup.message_state, timestamptz, text, text) IS
    'Internal: a provider''s event moves the message forward to sent, delivered, failed, bounced or complained, if its state allows; false: it does not. What comes next is planned when the event is the first to tell that it left; of a bounce that is the caller''s. p_occurred_at: real time; a clock that is wrong makes no message leave before it was claimed. p_provider_id: kept where none is known. The caller holds the locks of lock_messages.';
