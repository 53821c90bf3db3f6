CREATE OR REPLACE FUNCTION followup.bulk_before(p_account bigint, p_leads bigint[]) RETURNS SETOF followup.bulk_lead
LANGUAGE sql STABLE AS $$
    SELECT l.id, l.state, l.sub_state, l.sequence_id, l.assistant_id, c.id, coalesce(c.state = 'active', false), c.version,
           c.hold_until, c.ended_reason, c.ended_by, c.ended_at, m.id, NULL::bigint
      FROM followup.lead AS l
      LEFT JOIN LATERAL (SELECT c.* FROM followup.conversation AS c
                          WHERE c.account_id = l.account_id AND c.lead_id = l.id
                          ORDER BY c.state = 'active' DESC, c.started_at DESC, c.id DESC
                          LIMIT 1) AS c ON true
      LEFT JOIN LATERAL (SELECT m.id FROM followup.message AS m       -- a look-up a conversation, whatever the planner knows
                          WHERE c.state = 'active' AND m.account_id = c.account_id AND m.conversation_id = c.id
                            AND m.pending AND NOT m.detached AND m.state = 'scheduled'
                         OFFSET 0) AS m ON true
     WHERE l.account_id = p_account AND l.id = ANY (p_leads)
$$;
COMMENT ON FUNCTION followup.bulk_before(bigint, bigint[]) IS
    'What an undo needs to know of leads that are about to be changed; after their locks, in a statement of its own.';
