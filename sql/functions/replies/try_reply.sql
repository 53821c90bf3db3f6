CREATE OR REPLACE FUNCTION followup.try_reply(
    p_account bigint, p_text text, p_subject text = NULL, p_after_follow_up boolean = false, p_automatic boolean = false)
RETURNS TABLE (outcome text, because text, until timestamptz, contact jsonb, alert text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_read followup.reply_reading;
    v_zone text;
BEGIN
    PERFORM followup.check_account(p_account);
    PERFORM followup.require_account(p_account);
    SELECT followup.lead_timezone(NULL, a.timezone) INTO v_zone FROM followup.account AS a WHERE a.id = p_account;
    v_read := followup.read_reply(p_account, p_after_follow_up,
        jsonb_build_object('text', p_text, 'subject', coalesce(p_subject, 'Re:'),
                           'headers', CASE WHEN p_automatic THEN '[["Auto-Submitted", "auto-replied"]]' ELSE '[]' END::jsonb),
        v_zone, followup.now());
    RETURN QUERY
    SELECT coalesce(v_read.outcome, 'lead_to_review'),
           coalesce((SELECT 'rule ' || r.id || ': ' || r.kind || ' "' || r.pattern || '"' FROM followup.reply_rule AS r
                      WHERE r.account_id = p_account AND r.id::text = v_read.rule), v_read.rule, 'nothing matched'),
           v_read.until, v_read.contact, v_read.alert;
END
$$;
COMMENT ON FUNCTION followup.try_reply(bigint, text, text, boolean, boolean) IS
    'What a reply of these words would mean today, and because of what. p_automatic: as if its headers said that a machine wrote it. Changes nothing.';
