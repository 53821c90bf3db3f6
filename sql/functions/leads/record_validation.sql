CREATE OR REPLACE FUNCTION followup.record_validation(
    p_account bigint, p_leads bigint[], p_verdict text, p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c_verdicts constant text[] := '{valid,InvalidEmail,BounceRisk,ServerUnReachable,SpamTrap,Disposable}';
    v_actor    followup.actor := ROW('validation', 'address validation', true, NULL)::followup.actor;
    v_plan     followup.lead_plan[];
    v_waiting  bigint[];
    v_leads    bigint[];
    v_messages bigint[];
BEGIN
    PERFORM followup.check_account(p_account);
    IF p_actor IS NOT NULL THEN
        v_actor := followup.require_permission(p_account, p_actor, 'start');
    END IF;
    IF p_verdict IS NULL OR p_verdict <> ALL (c_verdicts) THEN
        RAISE EXCEPTION 'record_validation: % is no verdict', pg_catalog.quote_nullable(p_verdict)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'One of ' || pg_catalog.array_to_string(c_verdicts, ', ') || '.';
    END IF;
    v_plan := followup.fact_plan(p_account, p_leads, v_actor);
    v_plan := ARRAY(
        SELECT followup.lead_plan_refused(p, CASE
                   WHEN p.reason IS NOT NULL THEN p.reason
                   WHEN p_verdict = 'valid' THEN nullif(followup.action_verdict('start', p.state, p.sub_state), 'validating')
                   WHEN p.state IN ('unsubscribed', 'deactivated') THEN p.state::text::followup.skip_reason END)
          FROM unnest(v_plan) AS p);
    PERFORM followup.log_actions(p_account, ARRAY(SELECT p.lead_id FROM unnest(v_plan) AS p WHERE p.reason IS NULL),
                                 v_actor.name, 'validation', pg_catalog.concat_ws(': ', p_verdict, p_note));
    IF p_verdict <> 'valid' THEN
        PERFORM followup.leave_leads(p_account, v_plan, 'deactivated', p_verdict::followup.lead_sub_state, 'deactivated',
                                     'address validation: ' || p_verdict);
    ELSE
        WITH cleared AS (
            UPDATE followup.lead AS l SET sub_state = NULL
              FROM unnest(v_plan) AS p
             WHERE p.reason IS NULL AND l.account_id = p_account AND l.id = p.lead_id AND l.sub_state = 'validating'
            RETURNING l.id, l.sequence_id)
        SELECT array_agg(c.id) INTO v_waiting FROM cleared AS c WHERE c.sequence_id IS NOT NULL;
        SELECT array_agg(r.lead_id), array_agg(r.message_id) INTO v_leads, v_messages
          FROM followup.start_waiting(p_account, v_waiting, v_actor) AS r WHERE r.done;
    END IF;
    RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_plan, v_leads, v_messages);
END
$$;
COMMENT ON FUNCTION followup.record_validation(bigint, bigint[], text, bigint, text) IS
    'What the check of these leads'' addresses said (p_verdict). valid: a new/validating lead is new, and is started if it came with a sequence, as its INSERT would have (message_id, due_at; one that may not start stays new, with a row of activity not_started); one that is new stays so. InvalidEmail | BounceRisk | ServerUnReachable | SpamTrap | Disposable: deactivated with that sub-state, whatever it was; an active conversation ends, in_flight lists what had left. Refuses: valid: already_active, already_started, stopped; both: unsubscribed, deactivated (with its sub_state), not_own_lead, not_found. Without p_actor it is logged as of validation; a user needs the permission start (42501). Raises 22023 for another verdict.';
