CREATE OR REPLACE FUNCTION followup.start_follow_up(
    p_account bigint, p_leads bigint[], p_sequence bigint = NULL, p_assistant bigint = NULL, p_at timestamptz = NULL,
    p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT followup.check_instant('start_follow_up', p_at);
    SELECT * FROM followup.act_on_leads(p_account, p_leads, 'start', p_sequence, p_assistant, p_at,
                                        followup.actor_of(p_account, p_actor, 'start'), p_note)
$$;
COMMENT ON FUNCTION followup.start_follow_up(bigint, bigint[], bigint, bigint, timestamptz, bigint, text) IS
    'First enrolment of new leads: their first message goes after the first step''s delay, counted from p_at (business time; default now), through the send window. p_sequence, p_assistant: default those the lead was given; an account''s only assistant needs no naming. One row a lead, in the order asked. Refuses: validating, already_active, already_started, stopped, unsubscribed, deactivated, suppressed, past_instant, no_steps, no_assistant, not_permitted, not_own_lead, not_found; raises 22023 for an unknown account, sequence, assistant or actor.';
