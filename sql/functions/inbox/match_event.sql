CREATE OR REPLACE FUNCTION followup.match_event(
    p_account bigint, p_kind followup.event_kind, p_event jsonb, OUT message_id bigint, OUT lead_id bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- SendGrid's event ids go on after the id that its answer gave; some providers put one in angle brackets in one place only.
    v_provider_id text := pg_catalog.btrim(pg_catalog.regexp_replace(p_event ->> 'provider_message_id', '\.(filter|recvd).*$', ''), '<> ');
    v_rfc_id      text := pg_catalog.btrim(p_event ->> 'rfc_message_id', '<> ');
    v_ours        text[] := pg_catalog.regexp_match(v_rfc_id, '^fu-([0-9]{1,18})-([0-9]{1,18})[-.@]');
BEGIN
    message_id := followup.message_of_fu_id(p_account, p_event ->> 'fu_id');
    IF message_id IS NULL AND v_provider_id <> '' THEN
        message_id := followup.message_of_provider_id(p_account, ARRAY[v_provider_id, '<' || v_provider_id || '>']);
    END IF;
    IF message_id IS NULL AND v_ours[1]::bigint = p_account THEN
        SELECT m.id INTO message_id FROM followup.message AS m
         WHERE m.account_id = p_account AND m.id = v_ours[2]::bigint
           AND (m.rfc_message_id IS NULL OR pg_catalog.btrim(m.rfc_message_id, '<>') = v_rfc_id);
    END IF;
    IF message_id IS NULL AND v_rfc_id <> '' THEN   -- a provider may have put its own in place of ours (SES: id@email.amazonses.com)
        message_id := followup.message_of_provider_id(p_account, ARRAY[v_rfc_id, '<' || v_rfc_id || '>', pg_catalog.split_part(v_rfc_id, '@', 1)]);
    END IF;
    IF message_id IS NOT NULL THEN
        SELECT m.lead_id INTO lead_id FROM followup.message AS m WHERE m.account_id = p_account AND m.id = message_id;
    ELSIF p_kind IN ('complained', 'unsubscribed') THEN     -- a No counts, whichever message it answers
        SELECT l.id INTO lead_id FROM followup.lead AS l
         WHERE l.account_id = p_account AND lower(l.email) = pg_catalog.lower(pg_catalog.btrim(p_event ->> 'recipient'));
    END IF;
END
$$;
COMMENT ON FUNCTION followup.match_event(bigint, followup.event_kind, jsonb) IS
    'The message that a typed event is about: by fu_id, else provider_message_id, else rfc_message_id (ours, or one made of the provider''s id); and its lead. A complaint or an unsubscribe whose message is unknown finds the lead by recipient. Both NULL: unknown, so far.';
