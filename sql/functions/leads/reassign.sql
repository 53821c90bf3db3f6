CREATE OR REPLACE FUNCTION followup.reassign(
    p_account bigint, p_leads bigint[], p_rep bigint = NULL, p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor followup.actor := followup.actor_of(p_account, p_actor, 'reassign');
    v_plan  followup.lead_plan[];
BEGIN
    IF p_rep IS NOT NULL AND NOT EXISTS (SELECT FROM followup.app_user AS u WHERE u.account_id = p_account AND u.id = p_rep) THEN
        RAISE EXCEPTION 'account % has no user %', p_account, p_rep USING ERRCODE = 'invalid_parameter_value';
    END IF;
    v_plan := followup.fact_plan(p_account, p_leads, v_actor);
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, detail, at)
    SELECT p_account, v_actor.name, 'reassign', p.lead_id, p_note,
           pg_catalog.jsonb_build_object('from', l.rep_id, 'to', p_rep), followup.now()
      FROM unnest(v_plan) AS p
      JOIN followup.lead AS l ON l.account_id = p_account AND l.id = p.lead_id
     WHERE p.reason IS NULL;
    UPDATE followup.lead AS l SET rep_id = p_rep
      FROM unnest(v_plan) AS p
     WHERE p.reason IS NULL AND l.account_id = p_account AND l.id = p.lead_id;
    RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_plan, NULL, NULL);
END
$$;
COMMENT ON FUNCTION followup.reassign(bigint, bigint[], bigint, bigint, text) IS
    'Gives leads to another representative (NULL: to nobody), in any state; messages not sent yet name the new one. Refuses: not_permitted, not_own_lead, not_found; raises 22023 for a user the account does not have.';
