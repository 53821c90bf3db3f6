CREATE OR REPLACE FUNCTION followup.reactivations(
    p_account bigint, p_leads bigint[], p_now timestamptz, p_actor followup.actor, p_note text,
    p_undone followup.ended_reason)
RETURNS SETOF followup.lead_plan
LANGUAGE sql STABLE AS $$
    WITH base AS MATERIALIZED (
        SELECT r.*, (CASE WHEN r.reason IS NOT NULL THEN r.reason::text
                          WHEN nullif(pg_catalog.btrim(p_note), '') IS NULL THEN 'note_required'
                          WHEN r.state = 'active' THEN 'already_active'
                          WHEN r.state = 'new' THEN 'never_started'
                          WHEN r.state = 'processed' THEN 'inactive'
                          WHEN p_undone = 'stopped' AND r.state <> 'stopped' THEN r.state::text
                          WHEN p_undone = 'deactivated' AND r.sub_state IN ('BounceDeactivated', 'CannotDetermine') IS NOT TRUE THEN r.state::text
                          WHEN EXISTS (SELECT FROM followup.lead AS l
                                         JOIN followup.suppression AS s ON s.account_id = l.account_id AND s.address = pg_catalog.lower(l.email)
                                        WHERE l.account_id = p_account AND l.id = r.lead_id
                                          AND NOT (p_undone = 'deactivated' AND followup.is_bounce(s.reason, s.source))) THEN 'suppressed' END)::followup.skip_reason AS refusal
          FROM followup.read_leads(p_account, p_leads, NULL, p_actor) AS r
    )
    SELECT b.lead_id, b.refusal, b.state, b.sub_state, b.timezone, b.country, b.conversation_id, b.active, b.hold_until,
           b.sequence_id, b.version, b.assistant_id,
           CASE WHEN n.step_key IS NOT NULL OR m.again THEN m.kind END, coalesce(n.position, m.position),
           coalesce(n.step_key, m.step_key), w.due_at, w.due_at
      FROM base AS b
      -- The message that the end took out: cancelled, it goes again; in flight, or itself the one that bounced, the one after it
      -- is next. Where none was taken out, the lead had been processed or never started.
      LEFT JOIN LATERAL (
            SELECT x.*, x.state = 'cancelled' AS again
              FROM (SELECT y.* FROM followup.message AS y
                     WHERE b.refusal IS NULL AND y.account_id = p_account AND y.conversation_id = b.conversation_id
                     ORDER BY y.id DESC LIMIT 1) AS x
             WHERE x.detached OR (x.state = 'cancelled' AND x.detail IN (p_undone::text, 'suppressed'))
                OR (x.state = 'bounced' AND p_undone = 'deactivated')) AS m ON true
      LEFT JOIN LATERAL followup.next_step(p_account, b.sequence_id, b.version, m.kind, m.position) AS n ON NOT m.again
      LEFT JOIN LATERAL (
            SELECT CASE WHEN m.again THEN followup.sendable_at(p_account, b.timezone, b.country, greatest(m.due_at, p_now))
                        ELSE followup.plan_at(p_account, b.timezone, b.country, m.due_at, n.delay, n.delay_unit, p_now, b.conversation_id) END AS due_at
             WHERE m.again OR n.step_key IS NOT NULL) AS w ON true
$$;
COMMENT ON FUNCTION followup.reactivations(bigint, bigint[], timestamptz, followup.actor, text, followup.ended_reason) IS
    'What reactivate (p_undone stopped) or unbounce (deactivated) would schedule for each lead, or why not: the message that the stop or the bounce cancelled (the one after it, where that was in flight or bounced), at its old time or now, whichever is later (held without an end, or for being late: it has no due time). No kind: nothing is to be scheduled.';
