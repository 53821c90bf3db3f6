CREATE OR REPLACE FUNCTION followup.lead_list(
    p_account bigint, p_filter text = NULL, p_limit integer = 100, p_after bigint = 0)
RETURNS TABLE (lead_id bigint, email text, name text, company text, state followup.lead_state,
               sub_state followup.lead_sub_state, status followup.lead_status, sequence text, rep text,
               due_at timestamptz, conversation_status text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.id, l.email, nullif(concat_ws(' ', l.first_name, l.last_name), ''), l.company, l.state, l.sub_state, l.status,
           s.name, u.email,
           (SELECT min(m.due_at) FROM followup.conversation AS c
              JOIN followup.message AS m ON m.account_id = c.account_id AND m.conversation_id = c.id
             WHERE c.account_id = l.account_id AND c.lead_id = l.id AND c.state = 'active' AND m.pending AND NOT m.detached),
           followup.conversation_status(p_account, l.id)
      FROM (SELECT f.id FROM followup.find_leads(p_account, p_filter) AS f (id)
             WHERE f.id > p_after ORDER BY f.id LIMIT least(greatest(p_limit, 0), 10000)) AS found
      JOIN followup.lead AS l ON l.account_id = p_account AND l.id = found.id
      LEFT JOIN followup.sequence AS s ON s.account_id = l.account_id AND s.id = l.sequence_id
      LEFT JOIN followup.app_user AS u ON u.account_id = l.account_id AND u.id = l.rep_id
     ORDER BY l.id
$$;
COMMENT ON FUNCTION followup.lead_list(bigint, text, integer, bigint) IS
    'Leads that meet the filter (see find_leads), by id, at most p_limit (10000) of those above p_after; due_at is when the next message goes, business time.';
