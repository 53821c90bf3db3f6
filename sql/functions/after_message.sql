CREATE OR REPLACE FUNCTION followup.after_message(p_accounts bigint[], p_messages bigint[], p_capped boolean = NULL)
RETURNS TABLE (account_id bigint, message_id bigint, due_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_rate     double precision;
    v_now      timestamptz;
    v_capped   boolean := coalesce(p_capped, followup.lock_caps(p_accounts));
    -- Places: the caller's locks keep the rows where they are, and a row is had by its place without an index.
    v_messages tid[];           -- what has a next step: parallel arrays
    v_threads  tid[];
    v_steps    integer[];
    v_ended    tid[];           -- conversations whose last message was sent
    v_accounts bigint[];        -- and their leads: parallel arrays
    v_leads    bigint[];
    v_other_accounts bigint[];  -- what ended otherwise than sent
    v_others   bigint[];
BEGIN
    SELECT c.business, c.rate INTO v_now, v_rate FROM followup.clock() AS c;
    -- One pass over the messages: whatever becomes of one is decided by what is read here.
    SELECT array_agg(g.message) FILTER (WHERE g.step IS NOT NULL), array_agg(g.conversation) FILTER (WHERE g.step IS NOT NULL),
           array_agg(g.step) FILTER (WHERE g.step IS NOT NULL),
           array_agg(g.conversation) FILTER (WHERE g.last AND g.sent), array_agg(g.account_id) FILTER (WHERE g.last AND g.sent),
           array_agg(g.lead_id) FILTER (WHERE g.last AND g.sent),
           array_agg(g.account_id) FILTER (WHERE g.last AND NOT g.sent), array_agg(g.id) FILTER (WHERE g.last AND NOT g.sent)
      INTO v_messages, v_threads, v_steps, v_ended, v_accounts, v_leads, v_other_accounts, v_others
      FROM (SELECT m.account_id, m.id, m.lead_id, m.ctid AS message, c.ctid AS conversation, s.position AS step,
                   m.state IN ('sent', 'delivered') AS sent,
                   s.position IS NULL                   -- an active conversation without a live message
                   AND NOT EXISTS (SELECT FROM followup.message AS n
                                    WHERE n.account_id = m.account_id AND n.conversation_id = m.conversation_id
                                      AND n.pending AND NOT n.detached) AS last
              FROM unnest(p_accounts, p_messages) AS asked (account_id, id)
              JOIN followup.message AS m ON m.account_id = asked.account_id AND m.id = asked.id
              -- With lead_id any index of conversation finds one row: without statistics the planner likes the one of the active ones.
              JOIN followup.conversation AS c
                ON c.account_id = m.account_id AND c.id = m.conversation_id AND c.lead_id = m.lead_id
              LEFT JOIN LATERAL followup.next_step(m.account_id, c.sequence_id, m.version, m.kind, m.position) AS s
                ON m.state IN ('sent', 'delivered')
             WHERE NOT m.pending AND NOT m.detached AND c.state = 'active' OFFSET 0) AS g;
    IF v_ended IS NOT NULL THEN
        UPDATE followup.conversation AS c
           SET state = 'ended', ended_at = v_now, hold_until = NULL, ended_reason = 'completed',
               stop_seq = (SELECT pg_catalog.nextval('followup.order_seq'))     -- one for all: their locks are held
          FROM unnest(v_ended) AS e (place)
         WHERE c.ctid = e.place;
        UPDATE followup.lead AS d SET state = 'processed', sub_state = 'completed'
          FROM unnest(v_accounts, v_leads) AS e (account_id, id)
         WHERE d.account_id = e.account_id AND d.id = e.id;
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
               c.ctid AS place, c.hold_until, c.assistant_id, s.position, s.step_key, s.delay, s.delay_unit
          FROM unnest(v_messages, v_threads, v_steps) AS u (message, conversation, step)
          JOIN followup.message AS m ON m.ctid = u.message
          JOIN followup.conversation AS c ON c.ctid = u.conversation
          JOIN followup.step AS s
            ON s.account_id = m.account_id AND s.sequence_id = c.sequence_id AND s.version = m.version
           AND s.kind = m.kind::text::followup.step_kind AND s.position = u.step
    ), position AS (
        UPDATE followup.conversation AS c SET next_position = g.position + 1
          FROM gone AS g
         WHERE g.kind = 'sequence' AND c.ctid = g.place
    ), back AS (                -- written to again: no longer out of office
        UPDATE followup.lead AS d SET sub_state = 'sequence'
          FROM gone AS g
         WHERE g.hold_until IS NOT NULL
           AND d.account_id = g.account_id AND d.id = g.lead_id AND d.sub_state = 'out_of_office'
    )
    INSERT INTO followup.message
           (account_id, conversation_id, lead_id, kind, version, position, step_key, due_at, planned_reason,
            base_at, delay, delay_unit, cap_assistant_id)
    SELECT g.account_id, g.conversation_id, g.lead_id, g.kind, g.version, g.position, g.step_key,
           followup.plan_at(g.account_id, followup.lead_timezone(l.timezone, a.timezone), l.country, g.base, g.delay,
                            g.delay_unit, g.hold_until, g.conversation_id), 'next', g.base, g.delay, g.delay_unit,
           CASE WHEN v_capped THEN followup.capped_assistant(g.account_id, g.assistant_id) END
      FROM gone AS g
      JOIN followup.lead AS l ON l.account_id = g.account_id AND l.id = g.lead_id
      JOIN followup.account AS a ON a.id = g.account_id
        ON CONFLICT (account_id, conversation_id) WHERE pending AND NOT detached DO NOTHING
    RETURNING message.account_id, message.id, message.due_at;
END
$$;
COMMENT ON FUNCTION followup.after_message(bigint[], bigint[], boolean) IS
    'Runs in the transaction that takes messages out of pending, after their final state is written and with the locks of lock_messages: plans the next step of each conversation, counted from when this message was planned (from when it left, if more than a real minute late), or ends it: after the last step the lead is processed/completed, its status kept; failed or cancelled: processed/failed, status lead_to_review, conversation ended "failed"; bounced: deactivated/BounceDeactivated; complained: unsubscribed and suppressed. Detached messages, alerts, webhooks and messages of ended conversations plan nothing. Parallel arrays; answers what was planned. p_capped: what lock_caps answered for these accounts; NULL: it is asked here.';
