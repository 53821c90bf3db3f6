CREATE OR REPLACE FUNCTION followup.reactivate(
    p_account bigint, p_leads bigint[], p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor     followup.actor := followup.actor_of(p_account, p_actor, 'reactivate');
    v_plan      followup.lead_plan[];
    v_going     followup.lead_plan[];
    v_scheduled record;
BEGIN
    PERFORM followup.lock_leads(p_account, p_leads);
    v_plan := ARRAY(SELECT followup.reactivations(p_account, p_leads, followup.now(), v_actor, p_note));
    v_going := ARRAY(SELECT p FROM unnest(v_plan) AS p WHERE p.reason IS NULL AND p.kind IS NOT NULL);
    PERFORM followup.reopen_conversations(p_account, v_going);
    v_scheduled := followup.schedule_messages(p_account, v_going, 'reactivate', v_actor.name, p_note);

    -- Nothing was taken from the others: they are what they were before.
    UPDATE followup.lead AS l
       SET state = CASE WHEN p.conversation_id IS NULL THEN 'new' ELSE 'processed' END::followup.lead_state,
           sub_state = CASE WHEN p.conversation_id IS NULL THEN NULL
                            WHEN EXISTS (SELECT FROM followup.reply AS r WHERE r.account_id = p_account AND r.lead_id = p.lead_id)
                            THEN 'responded' ELSE 'completed' END::followup.lead_sub_state
      FROM unnest(v_plan) AS p
     WHERE p.reason IS NULL AND p.kind IS NULL AND l.account_id = p_account AND l.id = p.lead_id;
    UPDATE followup.conversation AS c SET ended_reason = l.sub_state::text::followup.ended_reason, ended_by = NULL
      FROM unnest(v_plan) AS p
      JOIN followup.lead AS l ON l.account_id = p_account AND l.id = p.lead_id
     WHERE p.reason IS NULL AND p.kind IS NULL AND c.account_id = p_account AND c.id = p.conversation_id AND c.state = 'ended';
    PERFORM followup.log_actions(p_account, ARRAY(SELECT p.lead_id FROM unnest(v_plan) AS p WHERE p.reason IS NULL AND p.kind IS NULL),
                                 v_actor.name, 'reactivate', p_note);
    RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_plan, v_scheduled.leads, v_scheduled.messages);
END
$$;
COMMENT ON FUNCTION followup.reactivate(bigint, bigint[], bigint, text) IS
    'The undo of a stop, by administrators, with a note: the message that the stop cancelled goes at its old time, or now where that has passed, through the send window; a lead that was processed or new when it was stopped is so again. Refuses: note_required, already_active, never_started, inactive (processed), unsubscribed, deactivated (with its sub_state), suppressed, not_permitted, not_own_lead, not_found.';
