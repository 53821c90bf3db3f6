CREATE OR REPLACE FUNCTION followup.note_bounce(
    p_account bigint, p_message bigint, p_class followup.bounce_kind, p_alert boolean, p_detail text, p_at timestamptz)
RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO followup.bounce (account_id, message_id, lead_id, class, alert, detail, sent_at, at)
    SELECT m.account_id, m.id, m.lead_id, p_class, p_alert, p_detail,
           CASE WHEN m.state <> 'failed' THEN coalesce(m.sent_at, m.due_at) END, p_at
      FROM followup.message AS m
     WHERE m.account_id = p_account AND m.id = p_message
        ON CONFLICT (account_id, message_id) DO NOTHING
$$;
COMMENT ON FUNCTION followup.note_bounce(bigint, bigint, followup.bounce_kind, boolean, text, timestamptz) IS
    'Internal: keeps what a bounce of a lead''s message was, after the message''s state is written. p_at: business time.';
