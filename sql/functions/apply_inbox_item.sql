CREATE OR REPLACE FUNCTION followup.apply_inbox_item(p_item followup.inbox_item) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF p_item.kind = 'replied' THEN
        PERFORM followup.apply_inbound_reply(p_item.account_id, p_item.event);
    ELSE
        PERFORM followup.apply_provider_event(p_item.account_id, p_item.message_id, p_item.lead_id, p_item.kind,
                                              p_item.occurred_at, p_item.event);
    END IF;
END
$$;
COMMENT ON FUNCTION followup.apply_inbox_item(followup.inbox_item) IS 'Internal: what one event does.';
