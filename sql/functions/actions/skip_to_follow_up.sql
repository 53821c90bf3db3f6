CREATE OR REPLACE FUNCTION followup.skip_to_follow_up(
    p_account bigint, p_leads bigint[], p_at timestamptz = NULL, p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT followup.check_instant('skip_to_follow_up', p_at);
    SELECT * FROM followup.act_on_leads(p_account, p_leads, 'skip', NULL, NULL, p_at,
                                        followup.actor_of(p_account, p_actor, 'skip'), p_note, true)
$$;
COMMENT ON FUNCTION followup.skip_to_follow_up(bigint, bigint[], timestamptz, bigint, text) IS
    'Active leads: what is pending is cancelled, the follow-up that asks for feedback goes after account.follow_up_delay (or at p_at, business time), through the send window; a message in flight is listed, and the wait counts from now all the same. Refuses: inactive, already_follow_up, no_follow_up_message, suppressed, past_instant, not_permitted, not_own_lead, not_found; raises 22023 for an unknown account or actor.';
