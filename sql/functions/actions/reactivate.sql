CREATE OR REPLACE FUNCTION followup.reactivate(
    p_account bigint, p_leads bigint[], p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor     followup.actor := followup.actor_of(p_account, p_actor, 'reactivate');
    v_plan      followup.lead_plan[];
    v_scheduled record;
BEGIN
    PERFORM followup.lock_leads(p_account, p_leads);
    v_plan := ARRAY(SELECT followup.reactivations(p_account, p_leads, followup.now(), v_actor, p_note, 'stopped'));
    v_scheduled := followup.bring_back(p_account, v_plan, 'reactivate', v_actor, p_note);
    RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_plan, v_scheduled.leads, v_scheduled.messages);
END
$$;
COMMENT ON FUNCTION followup.reactivate(bigint, bigint[], bigint, text) IS
    'The undo of a stop, by administrators, with a note: the message that the stop cancelled goes at its old time, or now where that has passed, through the send window; a lead that was processed or new when it was stopped is so again. Refuses: note_required, already_active, never_started, inactive (processed), unsubscribed, deactivated (with its sub_state), suppressed, not_permitted, not_own_lead, not_found.';
