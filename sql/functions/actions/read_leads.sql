CREATE OR REPLACE FUNCTION followup.read_leads(
    p_account bigint, p_leads bigint[], p_action followup.lead_action, p_actor followup.actor,
    p_disqualified boolean = true)
RETURNS SETOF followup.lead_plan
LANGUAGE sql STABLE AS $$
    SELECT asked.id,
           CASE WHEN NOT (p_actor).permitted THEN 'not_permitted'::followup.skip_reason
                WHEN l.id IS NULL THEN 'not_found'
                WHEN NOT followup.is_own(p_actor, l.rep_id) THEN 'not_own_lead'
                WHEN l.status = 'disqualified' AND NOT p_disqualified THEN 'disqualified'
                -- The one exception to the table, and only for whoever switched it on.
                WHEN p_action = 'restart' AND l.sub_state = 'BounceRisk' AND a.restart_bounce_risk
                    THEN CASE WHEN (SELECT followup.bounce_rate(p_account)) >= a.bounce_rate_limit   -- asked once
                              THEN 'bounce_rate'::followup.skip_reason END
                ELSE followup.action_verdict(p_action, l.state, l.sub_state) END,
           l.state, l.sub_state, coalesce(z.name, a.zone), l.country,
           c.id, c.state = 'active', c.hold_until, coalesce(c.sequence_id, l.sequence_id), c.version,
           coalesce(c.assistant_id, l.assistant_id),
           NULL::followup.message_kind, NULL::integer, NULL::text, NULL::timestamptz, NULL::timestamptz
      FROM (SELECT DISTINCT u.id FROM unnest(p_leads) AS u (id) ORDER BY u.id) AS asked
      JOIN (SELECT x.*, followup.lead_timezone(NULL, x.timezone) AS zone
              FROM followup.account AS x WHERE x.id = p_account OFFSET 0) AS a ON true
      LEFT JOIN followup.lead AS l ON l.account_id = p_account AND l.id = asked.id
      LEFT JOIN followup.timezone AS z ON z.key = pg_catalog.lower(l.timezone)     -- lead_timezone, without a call a lead
      LEFT JOIN LATERAL (SELECT c.* FROM followup.conversation AS c
                          WHERE c.account_id = p_account AND c.lead_id = asked.id
                          ORDER BY c.state = 'active' DESC, c.started_at DESC, c.id DESC
                          LIMIT 1) AS c ON true
$$;
COMMENT ON FUNCTION followup.read_leads(bigint, bigint[], followup.lead_action, followup.actor, boolean) IS
    'One row a distinct lead asked for: why the action leaves it alone (permission, then the action table), or what the action needs to go on. Call it after lock_leads, in a statement of its own. p_action NULL: no action, and no state that refuses it. p_disqualified false: leads of that status are left out.';
