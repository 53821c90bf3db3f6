CREATE OR REPLACE FUNCTION followup.crm_status(
    p_account bigint, p_source text, p_external_id text, p_code text, p_actor bigint = NULL, p_note text = NULL)
RETURNS followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_lead     bigint;
    v_old      text;
    v_actor    followup.actor := ROW('crm:' || p_source, NULL, true, NULL)::followup.actor;
    v_changes  followup.crm_change[];
    v_applied  followup.lead_plan[];
    v_leads    bigint[];
    v_messages bigint[];
    v_plan     followup.lead_plan[];
    v_result   followup.action_result;
BEGIN
    PERFORM followup.check_account(p_account);
    IF nullif(pg_catalog.btrim(p_source), '') IS NULL OR nullif(pg_catalog.btrim(p_code), '') IS NULL THEN
        RAISE EXCEPTION 'crm_status: a source and a code are needed' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT l.id INTO v_lead FROM followup.lead AS l WHERE l.account_id = p_account AND l.external_id = p_external_id;
    PERFORM followup.lock_leads(p_account, ARRAY[v_lead]);
    SELECT CASE WHEN lower(l.crm_source) = lower(p_source) THEN l.crm_status END INTO v_old
      FROM followup.lead AS l WHERE l.account_id = p_account AND l.id = v_lead;
    v_changes := followup.crm_changes(p_account, ARRAY[v_lead], ARRAY[p_source], ARRAY['crm_status'], ARRAY[v_old], ARRAY[p_code]);
    IF p_actor IS NOT NULL THEN     -- by whom it is typed in may do no more by it than by the button
        v_actor := followup.actor_of(p_account, p_actor, CASE v_changes[1].action WHEN 'stop' THEN 'stop' WHEN 'skip_to_follow_up' THEN 'skip'
                                                                                  ELSE 'set_status' END);
    END IF;
    v_plan := ARRAY(SELECT r FROM followup.read_leads(p_account, ARRAY[v_lead], NULL, v_actor) AS r);
    IF v_plan[1].reason IS NULL THEN
        UPDATE followup.lead AS l SET crm_source = p_source, crm_status = p_code
         WHERE l.account_id = p_account AND l.id = v_lead;
        SELECT a.plan, a.leads, a.messages INTO v_applied, v_leads, v_messages
          FROM followup.apply_crm(p_account, v_changes, v_actor.name, p_note) AS a;
        IF pg_catalog.cardinality(v_applied) > 0 THEN   -- else no rule, or one that does nothing
            v_plan := v_applied;
        END IF;
    END IF;
    SELECT * INTO v_result
      FROM followup.action_results(p_account, ARRAY[v_lead], v_plan, v_leads, v_messages);
    RETURN v_result;
END
$$;
COMMENT ON FUNCTION followup.crm_status(bigint, text, text, text, bigint, text) IS
    'Another system (p_source) gave the lead p_external_id the status p_code: it is kept in the lead, recorded in crm_event, and crm_rule says what follows: stop (of new and processed leads too), skip to the follow-up, or nothing. done: recorded, and the rule''s action done if there is one; else reason says why the lead was left alone; in_flight as of the actions. Unknown lead: not_found, nothing is recorded. With p_actor, who typed it in: so are not_permitted (stop, skip, or set_status where the rule does nothing) and not_own_lead. Raises 22023 without source or code.';
