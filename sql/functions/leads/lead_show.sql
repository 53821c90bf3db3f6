CREATE OR REPLACE FUNCTION followup.lead_show(p_account bigint, p_lead bigint) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object(
               'lead_id', l.id, 'email', l.email, 'external_id', l.external_id, 'first_name', l.first_name,
               'last_name', l.last_name, 'company', l.company, 'country', l.country, 'timezone', l.timezone,
               'rep', u.email, 'state', l.state, 'sub_state', l.sub_state, 'status', l.status, 'status_at', l.status_at,
               'crm_source', l.crm_source, 'crm_status', l.crm_status, 'sequence', s.name, 'assistant', a.name,
               'fields', l.fields, 'opens', l.opens, 'clicks', l.clicks, 'created_at', l.created_at,
               'conversation_status', followup.conversation_status(p_account, l.id),
               'suppressed', (SELECT x.reason FROM followup.suppression AS x
                               WHERE x.account_id = l.account_id AND x.address = lower(l.email)),
               'timeline', (SELECT coalesce(jsonb_agg(jsonb_build_object('at', t.at, 'what', t.what, 'title', t.title,
                                                                         'detail', nullif(t.detail, ''),
                                                                         'message_id', t.message_id)
                                                      ORDER BY t.at, t.message_id NULLS FIRST), '[]')
                              FROM (SELECT w.* FROM followup.lead_timeline AS w
                                     WHERE w.account_id = p_account AND w.lead_id = p_lead
                                     ORDER BY w.at DESC LIMIT 1000) AS t))
      FROM followup.lead AS l
      LEFT JOIN followup.app_user AS u ON u.account_id = l.account_id AND u.id = l.rep_id
      LEFT JOIN followup.sequence AS s ON s.account_id = l.account_id AND s.id = l.sequence_id
      LEFT JOIN followup.assistant AS a ON a.account_id = l.account_id AND a.id = l.assistant_id
     WHERE l.account_id = p_account AND l.id = p_lead
$$;
COMMENT ON FUNCTION followup.lead_show(bigint, bigint) IS
    'A lead with its timeline (the last 1000 entries); NULL: no such lead.';
