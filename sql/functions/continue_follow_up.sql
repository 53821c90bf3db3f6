CREATE OR REPLACE FUNCTION followup.continue_follow_up(
    p_account bigint, p_leads bigint[], p_at timestamptz = NULL, p_actor bigint = NULL, p_note text = NULL,
    p_disqualified boolean = true)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor     followup.actor := followup.actor_of(p_account, p_actor, 'continue');
    v_plan      followup.lead_plan[];
    v_scheduled record;
BEGIN
    PERFORM followup.check_instant('continue_follow_up', p_at);
    PERFORM followup.lock_leads(p_account, p_leads);
    v_plan := ARRAY(SELECT followup.continuations(p_account, p_leads, p_at, followup.now(), v_actor,
                                                 p_disqualified));
    PERFORM followup.reopen_conversations(p_account, v_plan);
    v_scheduled := followup.schedule_messages(p_account, v_plan, 'continue', v_actor.name, p_note);
    RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_plan, v_scheduled.leads, v_scheduled.messages);
END
$$;
COMMENT ON FUNCTION followup.continue_follow_up(bigint, bigint[], timestamptz, bigint, text, boolean) IS
    'Processed leads go on where they stopped: their last conversation is reopened on the newest version of its sequence, the first step not sent yet goes at p_at (business time; default now), through the send window, the rest by their delays. p_disqualified false (a bulk says so unless asked otherwise): disqualified leads are left out. Refuses: disqualified, never_started, already_active, no_more_messages, stopped, unsubscribed, deactivated (with its sub_state), suppressed, past_instant, not_permitted, not_own_lead, not_found; raises 22023 for an unknown account or actor.';
