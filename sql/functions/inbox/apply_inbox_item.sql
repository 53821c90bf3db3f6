CREATE OR REPLACE FUNCTION followup.apply_inbox_item(p_item followup.inbox_item) RETURNS void
LANGUAGE plpgsql VOLATILE SET lock_timeout = '100 ms' AS $$
BEGIN
    IF p_item.kind = 'replied' THEN
        PERFORM followup.apply_inbound_reply(p_item.account_id, p_item.event);
    ELSE
        PERFORM followup.apply_provider_event(p_item.account_id, p_item.message_id, p_item.lead_id, p_item.kind,
                                              p_item.occurred_at, p_item.event);
    END IF;
END
$$;
COMMENT ON FUNCTION followup.apply_inbox_item(followup.inbox_item) IS 'Internal: what one event does. Waits 100 ms for a lock (55P03): what it locks by itself, such as an address that is being suppressed, somebody may have for long.';
