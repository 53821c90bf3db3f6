-- What may not be true of a conversation: one row for each thing that is. Read by invariants().
CREATE OR REPLACE VIEW followup.wrong_conversation AS
SELECT w.account_id, w.id, w.state, b.invariant
  FROM (SELECT c.account_id, c.id, c.state, pg_catalog.concat_ws(' ',
     CASE WHEN c.state = 'active' AND m.id IS NULL AND (c.hold_until IS NULL OR c.hold_until <= followup.now()) THEN 'nothing_scheduled' END,
     CASE WHEN c.state = 'active' AND l.state <> 'active' THEN 'lead_not_active' END) AS broken
          FROM followup.conversation AS c
          JOIN followup.lead AS l ON l.account_id = c.account_id AND l.id = c.lead_id
          LEFT JOIN followup.message AS m ON m.account_id = c.account_id AND m.conversation_id = c.id AND m.pending AND NOT m.detached) AS w
 CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.string_to_array(w.broken, ' ')) AS b (invariant)
 WHERE w.broken <> '';
COMMENT ON VIEW followup.wrong_conversation IS
    'For invariants() and whoever looks into what it found: a row for each invariant that a conversation breaks. Ask with state = ''active''.';
