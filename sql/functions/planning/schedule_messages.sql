CREATE OR REPLACE FUNCTION followup.schedule_messages(
    p_account bigint, p_plan followup.lead_plan[], p_reason text, p_actor text, p_note text,
    OUT leads bigint[], OUT messages bigint[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_capped boolean := followup.any_caps(p_account);
BEGIN
    WITH message AS (
        INSERT INTO followup.message
               (account_id, conversation_id, lead_id, kind, version, position, step_key, due_at, planned_reason,
                base_at, cap_assistant_id)
        SELECT p_account, p.conversation_id, p.lead_id, p.kind, p.version, p.step_position, p.step_key, p.due_at, p_reason,
               p.base_at,
               CASE WHEN v_capped THEN followup.capped_assistant(p_account, p.assistant_id) END
          FROM unnest(p_plan) AS p WHERE p.reason IS NULL
         ORDER BY p.lead_id    -- the order in which they take places under a daily cap
        RETURNING id, lead_id
    ), lead AS (
        UPDATE followup.lead AS l
           SET state = 'active', sub_state = p.kind::text::followup.lead_sub_state
          FROM unnest(p_plan) AS p
         WHERE p.reason IS NULL AND l.account_id = p_account AND l.id = p.lead_id
    )
    SELECT array_agg(m.lead_id), array_agg(m.id) INTO leads, messages FROM message AS m;
    PERFORM followup.log_actions(p_account, leads, p_actor, p_reason, p_note, messages);
END
$$;
COMMENT ON FUNCTION followup.schedule_messages(bigint, followup.lead_plan[], text, text, text) IS
    'Writes what continue, skip and a hot reply planned for active conversations: the live message of each, the leads active, a row of activity. Answers parallel arrays of leads and messages.';
