CREATE OR REPLACE FUNCTION followup.replan_messages(p_account bigint, p_messages bigint[], p_reason text) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now     timestamptz := followup.now();
    v_changed integer;
    v_stay    bigint[];     -- what its cap had moved and the calendar moves on: parallel arrays
    v_from    timestamptz[];
BEGIN
    WITH planned AS MATERIALIZED (
        SELECT m.id, p.moved_from, w.stays,
               -- What its daily cap moved keeps its place, while its instant without the cap is the same, or over. On that day it asks
               -- the calendar too.
               CASE WHEN w.stays THEN followup.sendable_at(p_account, z.name, l.country, m.due_at) ELSE w.at END AS due_at
          FROM unnest(p_messages) AS u (id)
          JOIN followup.message AS m ON m.account_id = p_account AND m.id = u.id
          JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
          JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
          JOIN followup.account AS a ON a.id = m.account_id
         CROSS JOIN LATERAL (SELECT followup.lead_timezone(l.timezone, a.timezone) AS name OFFSET 0) AS z
         CROSS JOIN LATERAL (
               SELECT CASE WHEN m.due_at < 'infinity' THEN m.cap_moved_from END AS moved_from,
                      -- Before now bounds it: else its jitter would be added anew each time.
                      CASE WHEN m.exact THEN m.base_at
                           ELSE followup.plan_at(p_account, z.name, l.country, coalesce(m.base_at, m.due_at), m.delay, m.delay_unit,
                                                 c.hold_until, coalesce(m.plan_seed, c.id)) END AS at OFFSET 0) AS p
          -- What is overdue stays so, what is not never becomes it.
         CROSS JOIN LATERAL (SELECT greatest(p.at, c.hold_until, m.not_before, least(coalesce(p.moved_from, m.due_at), v_now)) AS at) AS b
         CROSS JOIN LATERAL (       -- what plan_at answered is on the calendar already
               SELECT CASE WHEN m.forced OR b.at = p.at AND NOT m.exact THEN b.at
                           ELSE followup.sendable_at(p_account, z.name, l.country, b.at) END AS at OFFSET 0) AS s
         CROSS JOIN LATERAL (SELECT s.at, p.moved_from IS NOT NULL AND (s.at = p.moved_from OR greatest(s.at, p.moved_from) <= v_now) AS stays) AS w
         WHERE m.state = 'scheduled' AND NOT m.detached AND c.state <> 'ended'
    ), moved AS (
        -- cap_moved_from: where the due time changes, the trigger says it anew; where the new instant is the very one to which the
        -- cap had moved it, the cap no longer has a part in it.
        UPDATE followup.message AS m
           SET due_at = p.due_at, planned_reason = p_reason, cap_moved_from = NULL
          FROM planned AS p
         WHERE m.account_id = p_account AND m.id = p.id AND m.state = 'scheduled'
           AND (m.due_at <> p.due_at OR m.cap_moved_from IS NOT NULL AND NOT p.stays)
        RETURNING m.id, p.stays, p.moved_from)
    SELECT count(*), array_agg(w.id) FILTER (WHERE w.stays), array_agg(w.moved_from) FILTER (WHERE w.stays)
      INTO v_changed, v_stay, v_from FROM moved AS w;
    IF v_stay IS NOT NULL THEN      -- where they would stand without the cap is still that
        UPDATE followup.message AS m SET cap_moved_from = u.moved_from
          FROM unnest(v_stay, v_from) AS u (id, moved_from)
         WHERE m.account_id = p_account AND m.id = u.id;
    END IF;
    RETURN v_changed;
END
$$;
COMMENT ON FUNCTION followup.replan_messages(bigint, bigint[], text) IS
    'Plans scheduled messages again from what they were planned from, with the zones, windows and holds of now; the id stays. Forced ones ask the hold alone; what waits for a person (base_at infinity) stays so. Answers how many moved. The caller holds the locks of their conversations (lock_scheduled).';
