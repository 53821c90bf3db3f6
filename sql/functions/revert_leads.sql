CREATE OR REPLACE FUNCTION followup.revert_leads(p_bulk followup.bulk, p_before followup.bulk_lead[])
RETURNS followup.bulk_outcome
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_account bigint := p_bulk.account_id;
    v_now     timestamptz;
    v_outcome followup.bulk_outcome;
    v_undo    followup.bulk_lead[];
    v_opened  bigint[];
    v_plan    followup.lead_plan[];
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
           version = u.version, next_position = u.next_position, hold_until = u.hold_until,
           ended_reason = u.ended_reason, ended_by = u.ended_by, ended_at = u.ended_at,
           stop_seq = CASE WHEN NOT u.active THEN pg_catalog.nextval('followup.order_seq') END
      FROM unnest(v_undo) AS u
     WHERE c.account_id = v_account AND c.id = u.conversation_id;
    SELECT array_agg(ROW(u.lead_id, NULL, u.state, u.sub_state, z.name, l.country, c.id, true, u.hold_until, c.sequence_id,
                         o.version, c.assistant_id, o.kind, o.position, o.step_key,
                         CASE WHEN o.due_at > v_now THEN o.due_at
                              ELSE followup.plan_at(v_account, z.name, l.country, v_now, '0', 'elapsed', u.hold_until, c.id) END,
                         followup.add_delay(v_account, z.name, l.country, o.base_at, o.delay, o.delay_unit))::followup.lead_plan)
      INTO v_plan
      FROM unnest(v_undo) AS u
      JOIN followup.account AS a ON a.id = v_account
      JOIN followup.lead AS l ON l.account_id = v_account AND l.id = u.lead_id
      JOIN followup.conversation AS c ON c.account_id = v_account AND c.id = u.conversation_id
      JOIN followup.message AS o ON o.account_id = v_account AND o.id = u.message_id
     CROSS JOIN LATERAL (SELECT followup.lead_timezone(l.timezone, a.timezone) AS name) AS z
     WHERE u.active;
    PERFORM followup.schedule_messages(v_account, v_plan, 'undo', (p_bulk.undoing).name, p_bulk.undo_note);
    UPDATE followup.lead AS l
       SET state = u.state, sub_state = u.sub_state, sequence_id = u.sequence_id, assistant_id = u.assistant_id
      FROM unnest(v_undo) AS u
     WHERE l.account_id = v_account AND l.id = u.lead_id;
    PERFORM followup.log_actions(v_account, ARRAY(SELECT u.lead_id FROM unnest(v_undo) AS u WHERE NOT u.active),
                                 (p_bulk.undoing).name, 'undo', p_bulk.undo_note);
    RETURN v_outcome;
END
$$;
COMMENT ON FUNCTION followup.revert_leads(followup.bulk, followup.bulk_lead[]) IS
    'Undoes a bulk for some of its leads. The message it scheduled is cancelled and the lead is what it was: start -> new; continue -> processed, its conversation ended as it had been; restart -> the earlier conversation is the last one again; skip and restart of an active lead, and stop -> the conversation goes on, its message of then is scheduled again for its old time, or from now if that is over. Left alone, by reason: see revert_verdicts. The status of a lead is not touched.';
