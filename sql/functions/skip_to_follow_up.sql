CREATE OR REPLACE FUNCTION followup.skip_to_follow_up(
    p_account bigint, p_leads bigint[], p_at timestamptz = NULL, p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor     followup.actor := followup.actor_of(p_account, p_actor, 'skip');
    v_plan      followup.lead_plan[];
    v_scheduled record;
BEGIN
    PERFORM followup.check_instant('skip_to_follow_up', p_at);
    PERFORM followup.lock_leads(p_account, p_leads);
    v_plan := ARRAY(SELECT followup.read_leads(p_account, p_leads, 'skip', v_actor));
    v_plan := ARRAY(SELECT followup.feedback_messages(p_account, v_plan, p_at, followup.now()));
    PERFORM followup.take_out_pending(p_account,
        ARRAY(SELECT p.conversation_id FROM unnest(v_plan) AS p WHERE p.reason IS NULL), 'skip');
    v_scheduled := followup.schedule_messages(p_account, v_plan, 'skip', v_actor.name, p_note);
    RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_plan, v_scheduled.leads, v_scheduled.messages);
END
$$;
COMMENT ON FUNCTION followup.skip_to_follow_up(bigint, bigint[], timestamptz, bigint, text) IS
    'Active leads: what is pending is cancelled, the follow-up that asks for feedback goes after account.follow_up_delay (or at p_at, business time), through the send window; a message in flight is listed, and the wait counts from now all the same. Refuses: inactive, already_follow_up, no_follow_up_message, suppressed, past_instant, not_permitted, not_own_lead, not_found; raises 22023 for an unknown account or actor.';
