CREATE OR REPLACE FUNCTION followup.revert_leads(p_bulk followup.bulk, p_before followup.bulk_lead[])
RETURNS followup.bulk_outcome
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_account bigint := p_bulk.account_id;
    v_now     timestamptz;
    v_outcome followup.bulk_outcome;
    v_undo    followup.bulk_lead[];
    v_opened  bigint[];
    v_capped  boolean := followup.any_caps(v_account);
    v_leads    bigint[];    -- with a message again: parallel arrays
    v_messages bigint[];
BEGIN
    PERFORM followup.lock_leads(v_account, ARRAY(SELECT u.lead_id FROM unnest(p_before) AS u));
    v_now := followup.now();
    WITH verdict AS MATERIALIZED (SELECT j.was, j.reason FROM followup.revert_verdicts(v_account, p_bulk.action, p_before) AS j)
    SELECT ARRAY(SELECT v.was FROM verdict AS v WHERE v.reason IS NULL),
           (SELECT pg_catalog.jsonb_object_agg(r.reason, r.leads)
              FROM (SELECT v.reason, count(*) AS leads FROM verdict AS v WHERE v.reason IS NOT NULL GROUP BY v.reason) AS r)
      INTO v_undo, v_outcome.left_alone;
    v_outcome.done := pg_catalog.cardinality(v_undo);

    IF p_bulk.action IN ('start', 'restart') THEN
        v_opened := ARRAY(SELECT m.conversation_id
                            FROM unnest(v_undo) AS u
                            JOIN followup.message AS m ON m.account_id = v_account AND m.id = u.new_message_id);
        PERFORM followup.end_conversations(v_account, v_opened, 'undone', (p_bulk.undoing).shown);
        UPDATE followup.conversation AS c SET started_at = '-infinity'
         WHERE c.account_id = v_account AND c.id = ANY (v_opened);
    ELSE
        PERFORM followup.take_out_pending(v_account, ARRAY(SELECT u.conversation_id FROM unnest(v_undo) AS u), 'undone');
    END IF;
    -- Active ones go on where they were, ended ones are as they had ended; a claim has its number before this end.
    UPDATE followup.conversation AS c
       SET state = CASE WHEN u.active THEN 'active' ELSE 'ended' END::followup.conversation_state,
           version = u.version, hold_until = u.hold_until,
           ended_reason = u.ended_reason, ended_by = u.ended_by, ended_at = u.ended_at,
           stop_seq = CASE WHEN NOT u.active THEN pg_catalog.nextval('followup.order_seq') END
      FROM unnest(v_undo) AS u
     WHERE c.account_id = v_account AND c.id = u.conversation_id;
    -- Planned anew it goes by what its former self was planned from; on today's calendar, for nobody planned a cancelled one anew.
    WITH message AS (
        INSERT INTO followup.message
               (account_id, conversation_id, lead_id, kind, version, position, step_key, due_at, planned_reason,
                base_at, delay, delay_unit, plan_seed, exact, forced, stood_still, cap_assistant_id)
        SELECT v_account, c.id, o.lead_id, o.kind, o.version, o.position, o.step_key,
               CASE WHEN o.forced THEN w.at
                    ELSE followup.sendable_at(v_account, followup.lead_timezone(l.timezone, a.timezone), l.country, w.at) END, 'undo',
               o.base_at, o.delay, o.delay_unit, o.plan_seed, o.exact, o.forced, o.stood_still,
               CASE WHEN v_capped THEN followup.capped_assistant(v_account, c.assistant_id) END
          FROM unnest(v_undo) AS u
          JOIN followup.account AS a ON a.id = v_account
          JOIN followup.lead AS l ON l.account_id = v_account AND l.id = u.lead_id
          JOIN followup.conversation AS c ON c.account_id = v_account AND c.id = u.conversation_id
          JOIN followup.message AS o ON o.account_id = v_account AND o.id = u.message_id
         CROSS JOIN LATERAL (SELECT greatest(o.due_at, u.hold_until, v_now) AS at) AS w
         WHERE u.active
         ORDER BY u.lead_id    -- the order in which they take places under a daily cap
        RETURNING id, lead_id)
    SELECT array_agg(m.lead_id), array_agg(m.id) INTO v_leads, v_messages FROM message AS m;
    UPDATE followup.lead AS l
       SET state = u.state, sub_state = u.sub_state, sequence_id = u.sequence_id, assistant_id = u.assistant_id
      FROM unnest(v_undo) AS u
     WHERE l.account_id = v_account AND l.id = u.lead_id;
    PERFORM followup.log_actions(v_account, v_leads, (p_bulk.undoing).name, 'undo', p_bulk.undo_note, v_messages);
    PERFORM followup.log_actions(v_account, ARRAY(SELECT u.lead_id FROM unnest(v_undo) AS u WHERE NOT u.active),
                                 (p_bulk.undoing).name, 'undo', p_bulk.undo_note);
    RETURN v_outcome;
END
$$;
COMMENT ON FUNCTION followup.revert_leads(followup.bulk, followup.bulk_lead[]) IS
    'Undoes a bulk for some of its leads. The message it scheduled is cancelled and the lead is what it was: start -> new; continue -> processed, its conversation ended as it had been; restart -> the earlier conversation is the last one again; skip and restart of an active lead, and stop -> the conversation goes on, its message of then is scheduled again for its old time, or from now if that is over or closed. Left alone, by reason: see revert_verdicts. The status of a lead is not touched.';
