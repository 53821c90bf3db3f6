CREATE OR REPLACE FUNCTION followup.bring_back(
    p_account bigint, p_plan followup.lead_plan[], p_action text, p_actor followup.actor, p_note text,
    OUT leads bigint[], OUT messages bigint[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_going followup.lead_plan[];
BEGIN
    v_going := ARRAY(SELECT p FROM unnest(p_plan) AS p WHERE p.reason IS NULL AND p.kind IS NOT NULL);
    PERFORM followup.reopen_conversations(p_account, v_going);
    SELECT s.leads, s.messages INTO leads, messages
      FROM followup.schedule_messages(p_account, v_going, p_action, p_actor.name, p_note) AS s;
    -- Their jitter is in these times already.
    UPDATE followup.message AS m SET exact = true WHERE m.account_id = p_account AND m.id = ANY (messages);

    -- Nothing was taken from the others: they are what they were before.
    UPDATE followup.lead AS l
       SET state = CASE WHEN p.conversation_id IS NULL THEN 'new' ELSE 'processed' END::followup.lead_state,
           sub_state = CASE WHEN p.conversation_id IS NULL THEN NULL
                            WHEN EXISTS (SELECT FROM followup.reply AS r WHERE r.account_id = p_account AND r.lead_id = p.lead_id)
                            THEN 'responded' ELSE 'completed' END::followup.lead_sub_state
      FROM unnest(p_plan) AS p
     WHERE p.reason IS NULL AND p.kind IS NULL AND l.account_id = p_account AND l.id = p.lead_id;
    UPDATE followup.conversation AS c SET ended_reason = l.sub_state::text::followup.ended_reason, ended_by = NULL
      FROM unnest(p_plan) AS p
      JOIN followup.lead AS l ON l.account_id = p_account AND l.id = p.lead_id
     WHERE p.reason IS NULL AND p.kind IS NULL AND c.account_id = p_account AND c.id = p.conversation_id AND c.state = 'ended';
    PERFORM followup.log_actions(p_account, ARRAY(SELECT p.lead_id FROM unnest(p_plan) AS p WHERE p.reason IS NULL AND p.kind IS NULL),
                                 p_actor.name, p_action, p_note);
END
$$;
COMMENT ON FUNCTION followup.bring_back(bigint, followup.lead_plan[], text, followup.actor, text) IS
    'Internal, of reactivate and unbounce: writes what reactivations planned. Answers parallel arrays of leads and messages, of those for which one was scheduled. The caller holds the locks.';
