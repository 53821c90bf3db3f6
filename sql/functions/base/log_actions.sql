CREATE OR REPLACE FUNCTION followup.log_actions(
    p_account bigint, p_leads bigint[], p_actor text, p_action text, p_note text, p_messages bigint[] = NULL) RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, detail, at)
    SELECT p_account, p_actor, p_action, d.lead_id, p_note,
           CASE WHEN d.message_id IS NOT NULL THEN pg_catalog.jsonb_build_object('message_id', d.message_id) END,
           n.at
      FROM unnest(p_leads, p_messages) AS d (lead_id, message_id),
           (SELECT followup.now() AS at) AS n
$$;
COMMENT ON FUNCTION followup.log_actions(bigint, bigint[], text, text, text, bigint[]) IS
    'One row of activity a lead; p_messages: what was scheduled for each, parallel to p_leads.';
