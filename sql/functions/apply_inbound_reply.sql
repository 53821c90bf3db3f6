CREATE OR REPLACE FUNCTION followup.apply_inbound_reply(p_account bigint, p_event jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_match followup.reply_match;
BEGIN
    PERFORM followup.check_account(p_account);
    v_match := followup.match_reply(p_account, p_event);
    IF v_match.lead_id IS NULL THEN
        INSERT INTO followup.reply (account_id, from_address, subject, body, headers, received_at, outcome)
        VALUES (p_account, p_event ->> 'from', p_event ->> 'subject', p_event ->> 'text', p_event -> 'headers', followup.now(),
                'lead_to_review');
        RETURN 'unmatched';
    END IF;
    PERFORM followup.record_reply(p_account, v_match.message_id, p_event ->> 'from', p_event ->> 'subject', p_event ->> 'text',
                                  p_lead => v_match.lead_id, p_headers => p_event -> 'headers');
    RETURN v_match.matched_by;
END
$$;
COMMENT ON FUNCTION followup.apply_inbound_reply(bigint, jsonb) IS
    'A mail came in: the typed reply of src/inbound (recipients, from, sender, subject, text, full_text, message_id, in_reply_to, references, headers, spf, dkim, dmarc, classified). Finds its lead, keeps it, and does what it means. Answers how it was matched (token, in_reply_to, references, address), unmatched (kept for a person; no lead was touched) or repeated (this lead''s reply of this Message-ID was applied before: nothing happens). The inbox gives each event once.';
