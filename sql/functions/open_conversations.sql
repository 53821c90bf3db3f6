CREATE OR REPLACE FUNCTION followup.open_conversations(
    p_account bigint, p_leads bigint[], p_action followup.lead_action, p_sequence bigint, p_assistant bigint,
    p_at timestamptz, p_actor followup.actor, p_note text, p_disqualified boolean = true)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now      timestamptz;
    v_plan     followup.lead_plan[];
    v_leads    bigint[];
    v_messages bigint[];
    v_capped   boolean := followup.any_caps(p_account);
BEGIN
    PERFORM followup.check_instant(p_action::text || '_follow_up', p_at);
    PERFORM followup.lock_leads(p_account, p_leads);
    v_now := followup.now();
    PERFORM followup.check_sequence(p_account, p_sequence, p_assistant);

    v_plan := ARRAY(SELECT followup.first_steps(p_account, p_leads, p_action, p_sequence, p_assistant, p_at, v_now, p_actor,
                                                p_disqualified));

    PERFORM followup.end_conversations(p_account,
        ARRAY(SELECT p.conversation_id FROM unnest(v_plan) AS p WHERE p.reason IS NULL AND p.active), 'restarted', (p_actor).shown);

    WITH conversation AS (
        INSERT INTO followup.conversation
               (account_id, lead_id, sequence_id, version, assistant_id, next_position, started_at, status_set)
        SELECT p_account, p.lead_id, p.sequence_id, p.version, p.assistant_id, p.step_position + 1, v_now, s.status_set
          FROM unnest(v_plan) AS p
          JOIN followup.sequence AS s ON s.account_id = p_account AND s.id = p.sequence_id
         WHERE p.reason IS NULL
        RETURNING id, lead_id
    ), message AS (
        INSERT INTO followup.message
               (account_id, conversation_id, lead_id, kind, version, position, step_key, due_at, planned_reason,
                base_at, delay, delay_unit, plan_seed, cap_assistant_id)
        SELECT p_account, c.id, p.lead_id, p.kind, p.version, p.step_position, p.step_key, p.due_at, p_action::text,
               p.base_at, s.delay, s.delay_unit, p.lead_id,
               CASE WHEN v_capped THEN followup.capped_assistant(p_account, p.assistant_id) END
          FROM unnest(v_plan) AS p
          JOIN conversation AS c ON c.lead_id = p.lead_id
          JOIN followup.step AS s ON s.account_id = p_account AND s.sequence_id = p.sequence_id
           AND s.version = p.version AND s.kind = 'sequence' AND s.position = p.step_position
        RETURNING id, lead_id
    ), lead AS (
        UPDATE followup.lead AS l
           SET state = 'active', sub_state = 'sequence', sequence_id = p.sequence_id, assistant_id = p.assistant_id
          FROM unnest(v_plan) AS p
         WHERE p.reason IS NULL AND l.account_id = p_account AND l.id = p.lead_id
    )
    SELECT array_agg(m.lead_id), array_agg(m.id) INTO v_leads, v_messages FROM message AS m;

    PERFORM followup.log_actions(p_account, v_leads, (p_actor).name, p_action::text, p_note, v_messages);
    RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_plan, v_leads, v_messages);
END
$$;
COMMENT ON FUNCTION followup.open_conversations(bigint, bigint[], followup.lead_action, bigint, bigint, timestamptz, followup.actor, text, boolean) IS
    'The core of start and restart, for one lead or many: locks, verdicts, the old conversations ended, new ones opened with their first message. Permissions come with p_actor; a trigger or import brings its own.';
