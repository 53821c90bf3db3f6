CREATE OR REPLACE FUNCTION followup.unsubscribe(
    p_account bigint, p_lead bigint = NULL, p_message bigint = NULL, p_token uuid = NULL, p_actor bigint = NULL,
    p_note text = NULL)
RETURNS followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor  followup.actor := ROW('lead', 'the lead', true, NULL)::followup.actor;
    v_lead   bigint;
    v_plan   followup.lead_plan[];
    v_result followup.action_result;
BEGIN
    PERFORM followup.check_account(p_account);
    IF pg_catalog.num_nonnulls(p_lead, p_message, p_token) <> 1 THEN
        RAISE EXCEPTION 'unsubscribe: name one of p_lead, p_message and p_token' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_lead IS NOT NULL THEN
        v_actor := followup.require_permission(p_account, p_actor, 'unsubscribe');
        v_lead := p_lead;
    ELSIF p_message IS NOT NULL THEN
        SELECT m.lead_id INTO v_lead FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
    ELSE
        SELECT l.id INTO v_lead FROM followup.lead AS l WHERE l.account_id = p_account AND l.unsubscribe_token = p_token;
    END IF;
    v_plan := followup.unsubscribe_lead(p_account, v_lead, 'unsubscribed', v_actor, p_note);
    SELECT * INTO v_result FROM followup.action_results(p_account, ARRAY[v_lead], v_plan, NULL, NULL);
    RETURN v_result;
END
$$;
COMMENT ON FUNCTION followup.unsubscribe(bigint, bigint, bigint, uuid, bigint, text) IS
    'The lead is never written to again: unsubscribed from any state, its conversation ends, its address is suppressed. Named by p_token (the link) or p_message (a provider''s event), the lead itself acts; by p_lead a user with the permission unsubscribe does (42501 otherwise). Not done: a second time (unsubscribed), and a lead that is not such a user''s own (not_own_lead). Unknown: not_found. in_flight lists what had left.';
