CREATE OR REPLACE FUNCTION followup.explain_wait(p_account bigint, p_message bigint, p_now timestamptz)
RETURNS TABLE (cause text, clears_at timestamptz)
LANGUAGE sql STABLE AS $$
    WITH v AS MATERIALIZED (
        SELECT m.*, a.paused_at AS account_paused_at, a.paused_reason, s.paused_at AS assistant_paused_at, q.paused_at AS sequence_paused_at,
               s.name AS assistant, q.name AS sequence, s.daily_cap, s.ramp, s.ramp_from,
               a.late_after, a.late_action, l.country, l.email, c.hold_until, c.state AS conversation_state,
               z.name AS timezone, p_now AT TIME ZONE z.name AS local_now,
               m.conversation_id IS NOT NULL AS of_lead,    -- alerts and webhooks ask neither window nor pause
               followup.sendable_at(m.account_id, z.name, l.country, p_now) AS opens_at,
               (SELECT max(p.planned_at + k.waits) FROM followup.list_pull AS p JOIN followup.suppression_list AS k ON k.provider_type = p.provider_type
                 WHERE p.account_id = m.account_id AND p.ended_at IS NULL) AS list_until,
               t.outcome AS last_outcome, concat_ws(' ', nullif(t.http_status, 0)::text, t.detail) AS last_detail
          FROM followup.message AS m
          JOIN followup.account AS a ON a.id = m.account_id
          LEFT JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
          LEFT JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
          LEFT JOIN followup.assistant AS s ON s.account_id = c.account_id AND s.id = c.assistant_id
          LEFT JOIN followup.sequence AS q ON q.account_id = c.account_id AND q.id = c.sequence_id
         CROSS JOIN LATERAL (SELECT followup.lead_timezone(l.timezone, a.timezone) AS name) AS z
          LEFT JOIN LATERAL (SELECT x.* FROM followup.attempt AS x
                              WHERE x.account_id = m.account_id AND x.message_id = m.id
                              ORDER BY x.no DESC, x.post DESC LIMIT 1) AS t ON true
         WHERE m.account_id = p_account AND m.id = p_message)
    SELECT x.cause, nullif(x.clears_at, 'infinity')
      FROM v
     CROSS JOIN LATERAL (VALUES
        (1, v.last_outcome = 'retry' AND v.due_at > p_now,
         'back-off: try ' || v.attempts || ' did not leave' || coalesce(': ' || nullif(v.last_detail, ''), '')
             || '; the next is at ' || followup.shown_at(v.due_at, v.timezone), v.due_at),
        (2, v.last_outcome IS DISTINCT FROM 'retry' AND v.due_at > p_now AND v.due_at < 'infinity',
         'due later: planned for ' || followup.shown_at(v.due_at, v.timezone), v.due_at),
        (3, v.due_at = 'infinity', coalesce(v.planned_reason, 'held') || '; it has no due time', 'infinity'),
        (4, v.cap_moved_from IS NOT NULL AND v.due_at > p_now,
         'daily cap of ' || v.assistant || ' (' || coalesce(followup.cap_of(v.daily_cap, v.ramp, v.ramp_from, v.cap_day)::text, 'none now')
             || ' a day): planned for ' || followup.shown_at(v.cap_moved_from, v.timezone) || ', that day is full', v.due_at),
        (5, v.hold_until > p_now, 'held ' || CASE WHEN v.hold_until = 'infinity' THEN 'until it is released'
             ELSE 'until ' || followup.shown_at(v.hold_until, v.timezone) END, v.hold_until),
        (6, v.of_lead AND NOT v.forced AND v.opens_at > p_now AND followup.is_holiday(v.account_id, v.country, v.local_now::date),
         'holiday: ' || pg_catalog.to_char(v.local_now, 'YYYY-MM-DD') || ' in ' || coalesce(v.country, 'the account'), v.opens_at),
        (7, v.of_lead AND NOT v.forced AND v.opens_at > p_now AND NOT followup.is_holiday(v.account_id, v.country, v.local_now::date),
         'send window: closed now (' || pg_catalog.to_char(v.local_now, 'Dy HH24:MI ') || v.timezone || ')', v.opens_at),
        (8, v.of_lead AND v.account_paused_at IS NOT NULL, 'the account is paused' || coalesce(': ' || v.paused_reason, ''), NULL),
        (14, v.of_lead AND v.list_until IS NOT NULL, 'no webhooks were received for long: a provider''s suppression list is being pulled first',
         v.list_until),
        (9, v.of_lead AND v.assistant_paused_at IS NOT NULL, 'the assistant ' || v.assistant || ' is paused', NULL),
        (10, v.of_lead AND v.sequence_paused_at IS NOT NULL, 'the sequence ' || v.sequence || ' is paused', NULL),
        (11, v.of_lead AND EXISTS (SELECT FROM followup.suppression AS u
                                    WHERE u.account_id = v.account_id AND u.address = pg_catalog.lower(v.email)),
         'suppressed: ' || v.email || ' is never written to', NULL),
        (12, v.conversation_state = 'ended', 'its conversation has ended: it will be cancelled', NULL),
        (13, v.of_lead AND v.late_action = 'hold' AND v.due_at < p_now - v.late_after,
         'over ' || v.late_after || ' late: it will be held for a person to decide', NULL::timestamptz)
        ) AS x (no, holds, cause, clears_at)
     WHERE x.holds
     ORDER BY x.no
$$;
COMMENT ON FUNCTION followup.explain_wait(bigint, bigint, timestamptz) IS
    'Internal: what keeps a scheduled message from leaving at p_now (business time), a row a cause. Window and holiday are those of now, whether it is due or not.';
