CREATE OR REPLACE FUNCTION followup.hold(
    p_account bigint, p_leads bigint[], p_until timestamptz = NULL, p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor followup.actor := followup.actor_of(p_account, p_actor, 'hold');
    v_until timestamptz := coalesce(p_until, 'infinity');
    v_plan  followup.lead_plan[];
    v_messages bigint[];
BEGIN
    PERFORM followup.lock_leads(p_account, p_leads);
    v_plan := ARRAY(SELECT followup.lead_plan_refused(r, coalesce(r.reason, CASE WHEN v_until <= followup.now() THEN 'past_instant'::followup.skip_reason END))
                      FROM followup.read_leads(p_account, p_leads, 'stop', v_actor) AS r);
    v_messages := followup.lock_scheduled(p_account, ARRAY(SELECT p.lead_id FROM unnest(v_plan) AS p WHERE p.reason IS NULL));
    PERFORM followup.end_absence(p_account, v_plan, followup.now());
    UPDATE followup.conversation AS c SET hold_until = v_until
      FROM unnest(v_plan) AS p
     WHERE p.reason IS NULL AND c.account_id = p_account AND c.id = p.conversation_id;
    PERFORM followup.replan_messages(p_account, v_messages, 'held');
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, detail, at)
    SELECT p_account, v_actor.name, 'hold', p.lead_id, p_note, pg_catalog.jsonb_build_object('until', v_until), followup.now()
      FROM unnest(v_plan) AS p WHERE p.reason IS NULL;
    RETURN QUERY SELECT * FROM followup.held_messages(p_account, p_leads, v_plan);
END
$$;
COMMENT ON FUNCTION followup.hold(bigint, bigint[], timestamptz, bigint, text) IS
    'Nothing goes to these active leads before p_until (business time; NULL: until release). What is scheduled keeps its id and moves behind the hold; what is planned later is planned behind it too; a message in flight is listed. A second hold replaces the first, and an absence (hold_absent). message_id and due_at: the scheduled message, when it goes now. Refuses: inactive, past_instant, not_permitted, not_own_lead, not_found.';
