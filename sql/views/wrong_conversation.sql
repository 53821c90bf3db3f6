-- What may not be true of a conversation: one row for each thing that is. Read by invariants().
CREATE OR REPLACE VIEW followup.wrong_conversation AS
SELECT c.account_id, c.id, c.state, b.invariant
  FROM followup.conversation AS c
  JOIN followup.lead AS l ON l.account_id = c.account_id AND l.id = c.lead_id
  LEFT JOIN followup.message AS m ON m.account_id = c.account_id AND m.conversation_id = c.id AND m.pending AND NOT m.detached
 CROSS JOIN LATERAL (VALUES
     ('nothing_scheduled', c.state = 'active' AND m.id IS NULL AND (c.hold_until IS NULL OR c.hold_until <= followup.now())),
     ('lead_not_active', c.state = 'active' AND l.state <> 'active')
 ) AS b(invariant, is_broken)
 WHERE b.is_broken;
COMMENT ON VIEW followup.wrong_conversation IS
    'For invariants() and whoever looks into what it found: a row for each invariant that a conversation breaks. Ask with state = ''active''.';
