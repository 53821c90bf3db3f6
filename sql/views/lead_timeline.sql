-- Everything that happened to a lead and is planned for it. Business time where there is one, real time for attempts.
CREATE OR REPLACE VIEW followup.lead_timeline WITH (security_invoker = true) AS
SELECT m.account_id, m.lead_id, coalesce(m.sent_at, m.finished_at, m.due_at) AS at, 'message' AS what, m.id AS message_id,
       m.kind || coalesce(' ' || m.step_key, '') || ': ' || m.state AS title,
       concat_ws('; ', CASE WHEN m.detached THEN 'replaced while in flight' END, m.planned_reason, m.detail,
                 (SELECT b.subject FROM followup.attempt AS b
                   WHERE b.account_id = m.account_id AND b.message_id = m.id AND b.subject IS NOT NULL
                   ORDER BY b.no, b.post LIMIT 1)) AS detail
  FROM followup.message AS m
 WHERE m.lead_id IS NOT NULL
UNION ALL
SELECT t.account_id, m.lead_id, t.ended_at, 'attempt', t.message_id,
       'attempt ' || t.no || CASE WHEN t.post > 1 THEN '.' || t.post ELSE '' END || ': ' || t.outcome,
       concat_ws(' ', t.http_status::text, t.detail)
  FROM followup.attempt AS t
  JOIN followup.message AS m ON m.account_id = t.account_id AND m.id = t.message_id
 WHERE m.lead_id IS NOT NULL AND (t.outcome <> 'sent' OR t.no > 1 OR t.post > 1)
UNION ALL
SELECT r.account_id, r.lead_id, r.received_at, 'reply', r.message_id, 'reply: ' || r.outcome,
       concat_ws('; ', r.subject, 'by rule ' || r.rule, left(r.body, 200))
  FROM followup.reply AS r
UNION ALL
SELECT e.account_id, m.lead_id, e.occurred_at, 'event', e.message_id, e.kind::text, e.provider
  FROM followup.provider_event AS e
  JOIN followup.message AS m ON m.account_id = e.account_id AND m.id = e.message_id
 WHERE m.lead_id IS NOT NULL
UNION ALL
SELECT c.account_id, c.lead_id, c.at, 'crm', NULL, c.source || ' ' || c.field || ': ' || c.new, c.result
  FROM followup.crm_event AS c
UNION ALL
SELECT a.account_id, a.lead_id, a.at, 'action', NULL, a.action || ' by ' || a.actor, a.note
  FROM followup.activity AS a
 WHERE a.lead_id IS NOT NULL;
COMMENT ON VIEW followup.lead_timeline IS
    'What happened to a lead, and what is planned: messages, attempts that were not the plain first one, replies, events, actions';
GRANT SELECT ON followup.lead_timeline TO followup_engine, followup_app, followup_admin;
