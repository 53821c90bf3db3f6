CREATE OR REPLACE FUNCTION followup.open_conversations(
    p_account bigint, p_plan followup.lead_plan[], p_action text, p_now timestamptz, p_actor followup.actor, p_note text,
    OUT leads bigint[], OUT messages bigint[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_capped boolean := followup.any_caps(p_account);
BEGIN
    PERFORM followup.end_conversations(p_account,
        ARRAY(SELECT p.conversation_id FROM unnest(p_plan) AS p WHERE p.reason IS NULL AND p.active), 'restarted', (p_actor).shown);

    WITH plan AS MATERIALIZED (
        SELECT p.*, pg_catalog.nextval(pg_catalog.pg_get_serial_sequence('followup.conversation', 'id')) AS new_conversation
          FROM unnest(p_plan) AS p WHERE p.reason IS NULL
    ), conversation AS (
        INSERT INTO followup.conversation
               (account_id, id, lead_id, sequence_id, version, assistant_id, started_at, status_set)
        SELECT p_account, p.new_conversation, p.lead_id, p.sequence_id, p.version, p.assistant_id, p_now, s.status_set
          FROM plan AS p
          JOIN followup.sequence AS s ON s.account_id = p_account AND s.id = p.sequence_id
    ), message AS (
        INSERT INTO followup.message
               (account_id, conversation_id, lead_id, kind, version, position, step_key, due_at, planned_reason,
                base_at, delay, delay_unit, plan_seed, cap_assistant_id)
        SELECT p_account, p.new_conversation, p.lead_id, p.kind, p.version, p.step_position, p.step_key, p.due_at, p_action,
               p.base_at, s.delay, s.delay_unit, p.lead_id,
               CASE WHEN v_capped THEN followup.capped_assistant(p_account, p.assistant_id) END
          FROM plan AS p
          JOIN followup.step AS s ON s.account_id = p_account AND s.sequence_id = p.sequence_id
           AND s.version = p.version AND s.kind = 'sequence' AND s.position = p.step_position
         ORDER BY p.lead_id    -- the order in which they take places under a daily cap
        RETURNING id, lead_id
    ), lead AS (
        UPDATE followup.lead AS l
           SET state = 'active', sub_state = 'sequence', sequence_id = p.sequence_id, assistant_id = p.assistant_id
          FROM plan AS p
         WHERE l.account_id = p_account AND l.id = p.lead_id
    )
    SELECT array_agg(m.lead_id), array_agg(m.id) INTO leads, messages FROM message AS m;
    PERFORM followup.log_actions(p_account, leads, (p_actor).name, p_action, p_note, messages);
END
$$;
COMMENT ON FUNCTION followup.open_conversations(bigint, followup.lead_plan[], text, timestamptz, followup.actor, text) IS
    'Writes what start and restart planned: the old conversations ended, new ones opened at p_now with their first message, the leads active, a row of activity. Answers parallel arrays of leads and messages. The caller holds the locks.';
