CREATE OR REPLACE FUNCTION followup.restart_follow_up(
    p_account bigint, p_leads bigint[], p_at timestamptz = NULL, p_sequence bigint = NULL, p_assistant bigint = NULL,
    p_actor bigint = NULL, p_note text = NULL, p_disqualified boolean = true)
RETURNS SETOF followup.action_result
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT followup.check_instant('restart_follow_up', p_at);
    SELECT * FROM followup.act_on_leads(p_account, p_leads, 'restart', p_sequence, p_assistant, p_at,
                                        followup.actor_of(p_account, p_actor, 'restart'), p_note, p_disqualified)
$$;
COMMENT ON FUNCTION followup.restart_follow_up(bigint, bigint[], timestamptz, bigint, bigint, bigint, text, boolean) IS
    'From the first message again, on the same or another sequence and assistant: what is pending is cancelled, the conversation ends and a new one opens; the first message is planned as start plans it. p_disqualified false (a bulk says so unless asked otherwise): disqualified leads are left out. Refuses: disqualified, validating, stopped, unsubscribed, deactivated (with its sub_state; BounceRisk may restart where account.restart_bounce_risk is on and the bounce rate is under its limit), suppressed, past_instant, no_steps, no_assistant, not_permitted, not_own_lead, not_found; raises 22023 for an unknown account, sequence, assistant or actor.';
