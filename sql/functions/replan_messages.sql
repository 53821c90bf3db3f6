CREATE OR REPLACE FUNCTION followup.replan_messages(p_account bigint, p_messages bigint[], p_reason text) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now     timestamptz := followup.now();
    v_changed integer;
BEGIN
    -- What is overdue stays so, what is not never becomes it; a retry keeps its wait. What only its daily cap moved keeps
    -- its place.
    WITH planned AS MATERIALIZED (
        SELECT m.id, CASE WHEN m.forced THEN w.at ELSE followup.sendable_at(p_account, z.name, l.country, w.at) END AS due_at
          FROM unnest(p_messages) AS u (id)
          JOIN followup.message AS m ON m.account_id = p_account AND m.id = u.id
          JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
          JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
          JOIN followup.account AS a ON a.id = m.account_id
         CROSS JOIN LATERAL (SELECT followup.lead_timezone(l.timezone, a.timezone) AS name) AS z
         -- The jitter comes before now does: else it would be added anew each time. A wait that a hold without end swallowed is over.
         CROSS JOIN LATERAL (SELECT greatest(CASE WHEN m.exact THEN m.base_at
                                                  ELSE followup.plan_at(p_account, z.name, l.country, coalesce(m.base_at, m.due_at), m.delay,
                                                                        m.delay_unit, c.hold_until, coalesce(m.plan_seed, c.id)) END,
                                             c.hold_until,
                                             CASE WHEN m.attempts > 0 AND m.due_at < 'infinity' THEN m.due_at
                                                  ELSE least(m.due_at, v_now) END) AS at) AS w
         WHERE m.state = 'scheduled' AND NOT m.detached AND c.state <> 'ended'
           -- What late_action held waits for a person.
           AND (m.due_at < 'infinity' OR p_reason = 'released' OR (m.planned_reason LIKE 'held: %') IS NOT TRUE)
    )
    -- cap_moved_from: where the due time changes, the trigger says it anew; where the new instant is the very one to which the
    -- cap had moved it, the cap no longer has a part in it.
    UPDATE followup.message AS m
       SET due_at = p.due_at, planned_reason = p_reason, cap_moved_from = NULL
      FROM planned AS p
     WHERE m.account_id = p_account AND m.id = p.id AND m.state = 'scheduled'
       AND coalesce(m.cap_moved_from, m.due_at) <> p.due_at;
    GET DIAGNOSTICS v_changed = ROW_COUNT;
    RETURN v_changed;
END
$$;
COMMENT ON FUNCTION followup.replan_messages(bigint, bigint[], text) IS
    'Plans scheduled messages again from what they were planned from, with the zones, windows and holds of now; the id stays. Forced ones ask the hold alone; what late_action held stays so unless p_reason is released. Answers how many moved. The caller holds the locks of their conversations (lock_scheduled).';
