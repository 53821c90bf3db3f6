CREATE OR REPLACE FUNCTION followup.lead_plan_refused(p_plan followup.lead_plan, p_reason followup.skip_reason)
RETURNS followup.lead_plan
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    p_plan.reason := p_reason;
    RETURN p_plan;
END
$$;
COMMENT ON FUNCTION followup.lead_plan_refused(followup.lead_plan, followup.skip_reason) IS
    'The same plan with another reason; NULL: the action goes on.';
