CREATE OR REPLACE FUNCTION followup.in_flight_of(p_account bigint, p_leads bigint[])
RETURNS TABLE (lead_id bigint, in_flight bigint[])
LANGUAGE sql STABLE AS $$
    SELECT c.lead_id, array_agg(m.id ORDER BY m.id)
      FROM followup.conversation AS c
      JOIN followup.message AS m ON m.account_id = c.account_id AND m.conversation_id = c.id
     WHERE c.account_id = p_account AND c.lead_id = ANY (p_leads) AND m.pending AND m.state <> 'scheduled'
     GROUP BY c.lead_id
$$;
COMMENT ON FUNCTION followup.in_flight_of(bigint, bigint[]) IS
    'Of each lead the messages that have left or may have left for the provider (sending, in_doubt), of earlier conversations too; no row for a lead without one.';
