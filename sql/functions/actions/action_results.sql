CREATE OR REPLACE FUNCTION followup.action_results(
    p_account bigint, p_leads bigint[], p_plan followup.lead_plan[], p_message_leads bigint[], p_messages bigint[])
RETURNS SETOF followup.action_result
LANGUAGE sql STABLE AS $$
    SELECT asked.id, p.lead_id IS NOT NULL AND p.reason IS NULL,
           CASE WHEN p.lead_id IS NULL THEN 'not_found' ELSE p.reason END,
           CASE WHEN p.reason IN ('deactivated', 'bounce_rate') THEN p.sub_state END,
           m.id, s.due_at,
           CASE WHEN p.reason IN ('not_permitted', 'not_own_lead') THEN '{}'::bigint[]
                ELSE coalesce(f.in_flight, '{}') END
      FROM unnest(p_leads) WITH ORDINALITY AS asked (id, no)
      LEFT JOIN unnest(p_plan) AS p ON p.lead_id = asked.id
      LEFT JOIN unnest(p_message_leads, p_messages) AS m (lead_id, id) ON m.lead_id = asked.id
      LEFT JOIN followup.message AS s ON s.account_id = p_account AND s.id = m.id     -- a daily cap may have moved it
      LEFT JOIN followup.in_flight_of(p_account, p_leads) AS f ON f.lead_id = asked.id
     ORDER BY asked.no
$$;
COMMENT ON FUNCTION followup.action_results(bigint, bigint[], followup.lead_plan[], bigint[], bigint[]) IS
    'The answer of an action: one row a lead asked for, in the order asked (a lead named twice has two).';
