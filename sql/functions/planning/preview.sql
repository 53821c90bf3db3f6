CREATE OR REPLACE FUNCTION followup.preview(p_account bigint, p_lead bigint)
RETURNS TABLE (message_id bigint, kind followup.message_kind, "position" integer, step_key text, subject text,
               due_at timestamptz, note text)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    v_now  timestamptz := followup.now();
    v_rate double precision := (SELECT c.rate FROM followup.clock() AS c);
    v_base timestamptz;
    v_live record;
    v_step followup.step;
BEGIN
    SELECT m.id, m.kind, m.position, m.step_key, m.due_at, m.state, m.version, c.id AS conversation_id, c.sequence_id,
           c.hold_until, followup.lead_timezone(l.timezone, a.timezone) AS timezone, l.country,
           coalesce(s.subject, a.feedback_subject) AS subject,
           coalesce(a.paused_at, p.paused_at, q.paused_at) IS NOT NULL AS paused, 
           EXISTS (SELECT FROM followup.list_pull AS w WHERE w.account_id = p_account AND w.ended_at IS NULL) AS awaits_list,
           (p.daily_cap IS NOT NULL OR p.ramp IS NOT NULL) AS capped
      INTO v_live
      FROM followup.lead AS l
      JOIN followup.account AS a ON a.id = l.account_id
      JOIN followup.conversation AS c ON c.account_id = l.account_id AND c.lead_id = l.id AND c.state = 'active'
      JOIN followup.assistant AS p ON p.account_id = c.account_id AND p.id = c.assistant_id
      JOIN followup.sequence AS q ON q.account_id = c.account_id AND q.id = c.sequence_id
      JOIN followup.message AS m ON m.account_id = c.account_id AND m.conversation_id = c.id AND m.pending AND NOT m.detached
      LEFT JOIN followup.step AS s ON s.account_id = m.account_id AND s.sequence_id = c.sequence_id AND s.version = m.version
       AND s.kind = m.kind::text::followup.step_kind AND s.position = m.position
     WHERE l.account_id = p_account AND l.id = p_lead;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v_base := followup.base_of(v_live.due_at, v_now, v_rate);
    RETURN QUERY SELECT v_live.id, v_live.kind, v_live.position, v_live.step_key, v_live.subject, v_live.due_at,
        CASE WHEN v_live.state <> 'scheduled' THEN 'in flight'
             WHEN v_live.paused THEN 'paused'
             WHEN v_live.awaits_list THEN 'waits for a provider''s suppression list'
             WHEN v_base > v_live.due_at THEN 'late: what follows is counted from when it leaves' END;
    LOOP
        SELECT * INTO v_step
          FROM followup.next_step(p_account, v_live.sequence_id, v_live.version, v_live.kind, v_live.position);
        EXIT WHEN NOT FOUND;
        v_base := followup.plan_at(p_account, v_live.timezone, v_live.country, v_base, v_step.delay, v_step.delay_unit,
                                   v_live.hold_until, v_live.conversation_id);
        v_live.position := v_step.position;
        RETURN QUERY SELECT NULL::bigint, v_live.kind, v_step.position, v_step.step_key, v_step.subject, v_base,
            'planned when the message before has left' || CASE WHEN v_live.capped THEN ', if the cap allows' ELSE '' END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION followup.preview(bigint, bigint) IS
    'What an active lead will get and when, in order: its live message, then (message_id NULL) the steps after it as after_message will plan them. Subjects are templates. No row for a lead that is not active or not known. Row-level security of the caller applies.';
