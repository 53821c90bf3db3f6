CREATE OR REPLACE FUNCTION followup.set_status(
    p_account bigint, p_leads bigint[], p_status text, p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor followup.actor := followup.actor_of(p_account, p_actor, 'set_status');
    v_plan  followup.lead_plan[];
BEGIN
    IF p_status IS NULL OR p_status <> ALL (pg_catalog.enum_range(NULL::followup.lead_status)::text[]) THEN
        RAISE EXCEPTION 'set_status: % is no status', pg_catalog.quote_nullable(p_status)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'One of ' || pg_catalog.array_to_string(pg_catalog.enum_range(NULL::followup.lead_status), ', ') || '.';
    END IF;
    v_plan := followup.fact_plan(p_account, p_leads, v_actor);
    UPDATE followup.lead AS l SET status = p_status::followup.lead_status, status_at = followup.now()
      FROM unnest(v_plan) AS p
     WHERE p.reason IS NULL AND l.account_id = p_account AND l.id = p.lead_id;
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, detail, at)
    SELECT p_account, v_actor.name, 'set_status', p.lead_id, p_note, pg_catalog.jsonb_build_object('status', p_status), followup.now()
      FROM unnest(v_plan) AS p WHERE p.reason IS NULL;
    RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_plan, NULL, NULL);
END
$$;
COMMENT ON FUNCTION followup.set_status(bigint, bigint[], text, bigint, text) IS
    'What a person says that a lead''s answers mean, in any state of the lead. It changes the status alone: what is scheduled stays (stop_messaging, skip_to_follow_up are for that). Refuses: not_permitted, not_own_lead, not_found; raises 22023 for what is no status.';
