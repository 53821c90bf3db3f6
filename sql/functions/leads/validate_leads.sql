CREATE OR REPLACE FUNCTION followup.validate_leads(
    p_account bigint, p_leads bigint[], p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor followup.actor := followup.actor_of(p_account, p_actor, 'start');
    v_plan  followup.lead_plan[];
BEGIN
    PERFORM followup.lock_leads(p_account, p_leads);
    v_plan := ARRAY(SELECT followup.read_leads(p_account, p_leads, 'start', v_actor));
    UPDATE followup.lead AS l SET sub_state = 'validating'
      FROM unnest(v_plan) AS p
     WHERE p.reason IS NULL AND l.account_id = p_account AND l.id = p.lead_id;
    PERFORM followup.log_actions(p_account, ARRAY(SELECT p.lead_id FROM unnest(v_plan) AS p WHERE p.reason IS NULL),
                                 v_actor.name, 'validate', p_note);
    RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_plan, NULL, NULL);
END
$$;
COMMENT ON FUNCTION followup.validate_leads(bigint, bigint[], bigint, text) IS
    'The addresses of these new leads are being checked: new/validating, not started until record_validation says what came of it. One row a lead, in the order asked. Refuses: validating (it is already), already_active, already_started, stopped, unsubscribed, deactivated (with its sub_state), not_permitted (the permission start), not_own_lead, not_found.';
