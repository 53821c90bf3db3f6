CREATE OR REPLACE FUNCTION followup.record_event(
    p_account bigint, p_provider text, p_event_id text, p_kind followup.event_kind, p_message bigint,
    p_occurred_at timestamptz, p_payload jsonb = NULL)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_lead bigint;
BEGIN
    PERFORM followup.require_read_committed();
    IF p_account IS NULL OR p_provider IS NULL OR p_event_id IS NULL OR p_kind IS NULL OR p_occurred_at IS NULL THEN
        RAISE EXCEPTION 'record_event: account, provider, event id, kind and occurred_at are needed'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_kind = 'replied' THEN
        RAISE EXCEPTION 'record_event: a reply is recorded by record_reply' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT EXISTS (SELECT FROM followup.account AS a WHERE a.id = p_account) THEN
        RAISE EXCEPTION 'record_event: there is no account %', p_account USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO followup.provider_event (account_id, provider, event_id, kind, message_id, occurred_at, payload)
    VALUES (p_account, p_provider, p_event_id, p_kind, p_message, p_occurred_at, p_payload)
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT m.lead_id INTO v_lead FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
    IF NOT FOUND THEN
        RETURN true;    -- of no message of ours, or not yet: kept, not applied
    END IF;
    IF v_lead IS NOT NULL THEN      -- what ends a lead's messages takes all its conversations, and leads are locked before messages
        PERFORM followup.lock_leads(p_account, ARRAY[v_lead]);
    END IF;
    PERFORM followup.lock_messages(ARRAY[p_account], ARRAY[p_message]);
    PERFORM followup.apply_provider_event(p_account, p_message, v_lead, p_kind, p_occurred_at, p_payload);
    UPDATE followup.provider_event AS e SET applied_at = pg_catalog.clock_timestamp()
     WHERE e.account_id = p_account AND e.provider = p_provider AND e.event_id = p_event_id;
    RETURN true;
END
$$;
COMMENT ON FUNCTION followup.record_event(bigint, text, text, followup.event_kind, bigint, timestamptz, jsonb) IS
    'A provider told something about p_message (NULL or unknown: stored only); the one-call form of receive_webhooks and apply_inbox. Stored once by (account, provider, event id): false when it was known, and nothing happens again. p_payload: a typed event; its bounce_kind (hard, soft, block) says what a bounce was, else bounce_class does. What each kind does: apply_provider_event. Only forward: sent -> delivered -> bounced -> complained; a message still sending or in_doubt is settled by it. p_occurred_at: real time. payload.detail goes into the message. Raises 22023 for a missing argument, an unknown account or a reply.';
