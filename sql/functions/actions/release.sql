CREATE OR REPLACE FUNCTION followup.release(
    p_account bigint, p_leads bigint[], p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor followup.actor := followup.actor_of(p_account, p_actor, 'hold');
    v_now   timestamptz;
    v_plan  followup.lead_plan[];
    v_messages bigint[];
BEGIN
    PERFORM followup.lock_leads(p_account, p_leads);
    v_now := followup.now();
    -- An infinite due time is a hold as well: the account's late_action puts it there.
    v_plan := ARRAY(
        SELECT followup.lead_plan_refused(r, coalesce(r.reason, CASE WHEN (r.hold_until > v_now) IS NOT TRUE
                   AND NOT EXISTS (SELECT FROM followup.message AS m
                                    WHERE m.account_id = p_account AND m.conversation_id = r.conversation_id
                                      AND m.state = 'scheduled' AND m.due_at = 'infinity') THEN 'not_held'::followup.skip_reason END))
          FROM followup.read_leads(p_account, p_leads, 'stop', v_actor) AS r);
    v_messages := followup.lock_scheduled(p_account, ARRAY(SELECT p.lead_id FROM unnest(v_plan) AS p WHERE p.reason IS NULL));
    PERFORM followup.end_absence(p_account, v_plan, v_now);
    UPDATE followup.conversation AS c SET hold_until = NULL
      FROM unnest(v_plan) AS p
     WHERE p.reason IS NULL AND c.account_id = p_account AND c.id = p.conversation_id;
    UPDATE followup.message AS m SET base_at = v_now
     WHERE m.account_id = p_account AND m.id = ANY (v_messages) AND m.base_at = 'infinity';
    PERFORM followup.replan_messages(p_account, v_messages, 'released');
    PERFORM followup.log_actions(p_account, ARRAY(SELECT p.lead_id FROM unnest(v_plan) AS p WHERE p.reason IS NULL),
                                 v_actor.name, 'release', p_note);
    RETURN QUERY SELECT * FROM followup.held_messages(p_account, p_leads, v_plan);
END
$$;
COMMENT ON FUNCTION followup.release(bigint, bigint[], bigint, text) IS
    'Ends a hold: what is scheduled goes when it would have gone without it, or now, through the send window, when that is over. What has no due time because a person is to say when (late_action hold) goes now. An out of office lead is in its sequence again, and its wait counts as if it had never stood still. Refuses: not_held, inactive, not_permitted, not_own_lead, not_found.';
