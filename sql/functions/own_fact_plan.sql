CREATE OR REPLACE FUNCTION followup.own_fact_plan(p_account bigint, p_leads bigint[], p_actor followup.actor) RETURNS followup.lead_plan[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_plan followup.lead_plan[] := followup.fact_plan(p_account, p_leads);
BEGIN
    IF p_actor.own_leads_of IS NULL THEN
        RETURN v_plan;
    END IF;
    RETURN ARRAY(
        SELECT followup.lead_plan_refused(p, coalesce(p.reason, CASE WHEN l.rep_id IS DISTINCT FROM p_actor.own_leads_of THEN 'not_own_lead'::followup.skip_reason END))
          FROM unnest(v_plan) AS p
          LEFT JOIN followup.lead AS l ON l.account_id = p_account AND l.id = p.lead_id);
END
$$;
COMMENT ON FUNCTION followup.own_fact_plan(bigint, bigint[], followup.actor) IS
    'Internal: fact_plan for what a person says: reason not_own_lead for leads that this actor''s profile does not reach.';
