CREATE OR REPLACE FUNCTION followup.conversation_status(p_account bigint, p_lead bigint) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE l.state
           WHEN 'new' THEN 'Not started'
           WHEN 'active' THEN
               CASE l.sub_state WHEN 'follow_up' THEN 'Follow-up ' WHEN 'out_of_office' THEN 'Out of office, next message '
                                ELSE 'Next message ' END
               || CASE WHEN m.state = 'scheduled'
                       THEN coalesce('scheduled for ' || pg_catalog.to_char(m.due_at AT TIME ZONE z.name, 'YYYY-MM-DD HH24:MI ') || z.name,
                                     'held until somebody says when')
                       ELSE 'being sent' END
           WHEN 'processed' THEN
               CASE l.sub_state WHEN 'responded' THEN 'Response received' WHEN 'completed' THEN 'All messages sent'
                                ELSE 'Message failed' || coalesce(': ' || c.ended_by, '') END
           WHEN 'stopped' THEN 'Stopped' || coalesce(' by ' || coalesce(c.ended_by,
               (SELECT 'CRM rule ' || e.rule FROM followup.crm_event AS e
                 WHERE e.account_id = l.account_id AND e.lead_id = l.id AND e.result = 'stopped'
                 ORDER BY e.at DESC, e.id DESC LIMIT 1)), '')
           WHEN 'unsubscribed' THEN 'Unsubscribed'
           WHEN 'deactivated' THEN 'Deactivated: ' || l.sub_state END
      FROM followup.lead AS l
      JOIN followup.account AS a ON a.id = l.account_id
     CROSS JOIN LATERAL (SELECT followup.lead_timezone(l.timezone, a.timezone) AS name) AS z
      LEFT JOIN LATERAL (SELECT c.* FROM followup.conversation AS c
                          WHERE c.account_id = l.account_id AND c.lead_id = l.id
                          ORDER BY c.state = 'active' DESC, c.started_at DESC, c.id DESC LIMIT 1) AS c ON true
      LEFT JOIN followup.message AS m ON m.account_id = c.account_id AND m.conversation_id = c.id
       AND m.pending AND NOT m.detached
     WHERE l.account_id = p_account AND l.id = p_lead
$$;
COMMENT ON FUNCTION followup.conversation_status(bigint, bigint) IS
    'The Conversation Status of a lead in words ("Stopped by NAME", "Response received", "All messages sent", "Follow-up scheduled for ..." in the zone it is planned in, "Next message held until somebody says when"). NULL for an unknown lead. Row-level security of the caller applies.';
