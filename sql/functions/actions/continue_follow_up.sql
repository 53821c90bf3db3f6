CREATE OR REPLACE FUNCTION followup.continue_follow_up(
    p_account bigint, p_leads bigint[], p_at timestamptz = NULL, p_actor bigint = NULL, p_note text = NULL,
    p_disqualified boolean = true)
RETURNS SETOF followup.action_result
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT followup.check_instant('continue_follow_up', p_at);
    SELECT * FROM followup.act_on_leads(p_account, p_leads, 'continue', NULL, NULL, p_at,
                                        followup.actor_of(p_account, p_actor, 'continue'), p_note, p_disqualified)
$$;
COMMENT ON FUNCTION followup.continue_follow_up(bigint, bigint[], timestamptz, bigint, text, boolean) IS
    'Processed leads go on where they stopped: their last conversation is reopened on the newest version of its sequence, the first step not sent yet goes at p_at (business time; default now), through the send window, the rest by their delays. p_disqualified false (a bulk says so unless asked otherwise): disqualified leads are left out. Refuses: disqualified, never_started, already_active, no_more_messages, stopped, unsubscribed, deactivated (with its sub_state), suppressed, past_instant, not_permitted, not_own_lead, not_found; raises 22023 for an unknown account or actor.';
