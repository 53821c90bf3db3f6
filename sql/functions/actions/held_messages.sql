CREATE OR REPLACE FUNCTION followup.held_messages(p_account bigint, p_leads bigint[], p_plan followup.lead_plan[])
RETURNS SETOF followup.action_result
LANGUAGE sql STABLE AS $$
    SELECT r.lead_id, r.done, r.reason, r.sub_state, m.id, m.due_at, r.in_flight
      FROM followup.action_results(p_account, p_leads, p_plan, NULL, NULL) WITH ORDINALITY
           AS r (lead_id, done, reason, sub_state, message_id, due_at, in_flight, no)
      LEFT JOIN unnest(p_plan) AS p ON p.lead_id = r.lead_id AND p.reason IS NULL
      LEFT JOIN LATERAL followup.live_messages(p_account, ARRAY[p.conversation_id]) AS n ON true
      LEFT JOIN followup.message AS m ON m.account_id = p_account AND m.id = n.message_id AND m.state = 'scheduled'
     ORDER BY r.no
$$;
COMMENT ON FUNCTION followup.held_messages(bigint, bigint[], followup.lead_plan[]) IS
    'The answer of hold and release: as action_results, with each lead''s scheduled message and when it is due now.';
