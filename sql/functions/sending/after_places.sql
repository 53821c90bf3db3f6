CREATE OR REPLACE FUNCTION followup.after_places(p_messages tid[], p_threads tid[], p_leads tid[], p_capped boolean)
RETURNS TABLE (account_id bigint, message_id bigint, due_at timestamptz)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    v_rate      double precision;
    v_now       timestamptz;
    v_messages  tid[];          -- what has a next step: parallel arrays
    v_threads   tid[];
    v_leads     tid[];
    v_steps     integer[];
    v_ended     tid[];          -- conversations whose last message was sent,
    v_completed tid[];          -- and their leads
    v_other_accounts bigint[];  -- what ended otherwise than sent: parallel arrays
    v_others    bigint[];
BEGIN
    SELECT c.business, c.rate INTO v_now, v_rate FROM followup.clock() AS c;
    -- One pass over the messages: whatever becomes of one is decided by what is read here.
    SELECT array_agg(g.message) FILTER (WHERE g.step IS NOT NULL), array_agg(g.thread) FILTER (WHERE g.step IS NOT NULL),
           array_agg(g.lead) FILTER (WHERE g.step IS NOT NULL), array_agg(g.step) FILTER (WHERE g.step IS NOT NULL),
           array_agg(g.thread) FILTER (WHERE g.last AND g.sent), array_agg(g.lead) FILTER (WHERE g.last AND g.sent),
           array_agg(g.account_id) FILTER (WHERE g.last AND NOT g.sent), array_agg(g.id) FILTER (WHERE g.last AND NOT g.sent)
      INTO v_messages, v_threads, v_leads, v_steps, v_ended, v_completed, v_other_accounts, v_others
      FROM (SELECT m.account_id, m.id, u.message, u.thread, u.lead, s.position AS step, m.state IN ('sent', 'delivered') AS sent,
                   s.position IS NULL                   -- an active conversation without a live message
                   AND NOT EXISTS (SELECT FROM followup.message AS n
                                    WHERE n.account_id = m.account_id AND n.conversation_id = m.conversation_id
                                      AND n.pending AND NOT n.detached) AS last
              FROM unnest(p_messages, p_threads, p_leads) AS u (message, thread, lead)
              JOIN followup.message AS m ON m.ctid = u.message
              JOIN followup.conversation AS c ON c.ctid = u.thread
              LEFT JOIN LATERAL followup.next_step(m.account_id, c.sequence_id, m.version, m.kind, m.position) AS s
                ON m.state IN ('sent', 'delivered')
             WHERE NOT m.pending AND NOT m.detached AND c.state <> 'ended' OFFSET 0) AS g;
    IF v_ended IS NOT NULL THEN
        UPDATE followup.conversation AS c
           SET state = 'ended', ended_at = v_now, hold_until = NULL, ended_reason = 'completed',
               stop_seq = (SELECT pg_catalog.nextval('followup.order_seq'))     -- one for all: their locks are held
          FROM unnest(v_ended) AS e (place)
         WHERE c.ctid = e.place;
        UPDATE followup.lead AS d SET state = 'processed', sub_state = 'completed'
          FROM unnest(v_completed) AS e (place)
         WHERE d.ctid = e.place;
    END IF;
    IF v_others IS NOT NULL THEN
        PERFORM followup.finish_conversations(v_other_accounts, v_others);
    END IF;
    IF v_messages IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH gone AS MATERIALIZED (
        SELECT m.account_id, m.conversation_id, m.lead_id, m.kind, m.version,
               followup.base_of(m.due_at, coalesce(m.sent_at, v_now), v_rate) AS base,
               u.lead, c.hold_until, c.assistant_id, s.position, s.step_key, s.delay, s.delay_unit
          FROM unnest(v_messages, v_threads, v_leads, v_steps) AS u (message, thread, lead, step)
          JOIN followup.message AS m ON m.ctid = u.message
          JOIN followup.conversation AS c ON c.ctid = u.thread
          JOIN followup.step AS s
            ON s.account_id = m.account_id AND s.sequence_id = c.sequence_id AND s.version = m.version
           AND s.kind = m.kind::text::followup.step_kind AND s.position = u.step
    ), back AS (                -- written to again: no longer out of office
        UPDATE followup.lead AS d SET sub_state = 'sequence'
          FROM gone AS g
         WHERE g.hold_until <= v_now AND d.ctid = g.lead AND d.sub_state = 'out_of_office'
    )
    INSERT INTO followup.message
           (account_id, conversation_id, lead_id, kind, version, position, step_key, due_at, planned_reason,
            base_at, delay, delay_unit, cap_assistant_id)
    SELECT g.account_id, g.conversation_id, g.lead_id, g.kind, g.version, g.position, g.step_key,
           followup.plan_at(g.account_id, followup.lead_timezone(l.timezone, a.timezone), l.country, g.base, g.delay,
                            g.delay_unit, g.hold_until, g.conversation_id), 'next', g.base, g.delay, g.delay_unit,
           CASE WHEN p_capped THEN followup.capped_assistant(g.account_id, g.assistant_id) END
      FROM gone AS g
      JOIN followup.lead AS l ON l.ctid = g.lead
      JOIN followup.account AS a ON a.id = g.account_id
        ON CONFLICT (account_id, conversation_id) WHERE pending AND NOT detached DO NOTHING
    RETURNING message.account_id, message.id, message.due_at;
END
$$;
COMMENT ON FUNCTION followup.after_places(tid[], tid[], tid[], boolean) IS
    'Internal, of after_message and record_results: what after_message promises, for messages, their conversations and their leads at these places (ctid; parallel arrays), which the caller has locked and not written since. p_capped: what lock_caps answered for their accounts.';
