CREATE OR REPLACE FUNCTION followup.spread_overdue(p_account bigint, p_assistant bigint = NULL, p_sequence bigint = NULL)
RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now     timestamptz := followup.now();
    v_changed integer;
BEGIN
    WITH overdue AS MATERIALIZED (
        SELECT m.id, c.id AS conversation_id, c.hold_until, l.country,
               followup.lead_timezone(l.timezone, a.timezone) AS timezone,
               row_number() OVER (ORDER BY m.due_at, m.id) - 1 AS before, count(*) OVER () AS of
          FROM followup.message AS m
          JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
          JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
          JOIN followup.account AS a ON a.id = m.account_id
          JOIN followup.assistant AS s ON s.account_id = c.account_id AND s.id = c.assistant_id
          JOIN followup.sequence AS q ON q.account_id = c.account_id AND q.id = c.sequence_id
         WHERE m.account_id = p_account AND m.shard = followup.shard_of(p_account) AND m.queued
           AND m.state = 'scheduled' AND m.due_at <= v_now AND NOT m.forced AND c.state = 'active'
           AND (p_assistant IS NULL OR c.assistant_id = p_assistant) AND (p_sequence IS NULL OR c.sequence_id = p_sequence)
           -- Something else may hold it still; and what is too late to leave by itself waits for a person.
           AND coalesce(a.paused_at, s.paused_at, q.paused_at) IS NULL
           AND NOT (a.late_action = 'hold' AND m.due_at < v_now - a.late_after)
    ), planned AS MATERIALIZED (
        SELECT o.id, w.at,
               followup.sendable_at(p_account, o.timezone, o.country, greatest(w.at, o.hold_until)) AS due_at
          FROM overdue AS o
         CROSS JOIN LATERAL (
               SELECT v_now + o.before * least('100 milliseconds'::interval, '1 hour'::interval / o.of) AS at) AS w
    )
    UPDATE followup.message AS m
       SET due_at = p.due_at, not_before = p.at, planned_reason = 'resumed'
      FROM planned AS p
     WHERE m.account_id = p_account AND m.id = p.id AND m.state = 'scheduled';
    GET DIAGNOSTICS v_changed = ROW_COUNT;
    RETURN v_changed;
END
$$;
COMMENT ON FUNCTION followup.spread_overdue(bigint, bigint, bigint) IS
    'The end of a pause of the account, an assistant or a sequence: what became due meanwhile is planned again from now, in the order in which it was due, a tenth of a second of business time apart (closer, when that would take more than an hour), through hold, window and cap. What another pause still holds is left, and so is what account.late_action = hold is for. Answers how many. The caller holds the account, and what is overdue (lock_scheduled).';
