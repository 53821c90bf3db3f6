CREATE OR REPLACE FUNCTION followup.fact_plan(
    p_account bigint, p_leads bigint[], p_actor followup.actor = ROW(NULL, NULL, true, NULL)::followup.actor)
RETURNS followup.lead_plan[]
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM followup.lock_leads(p_account, p_leads);
    RETURN ARRAY(SELECT r FROM followup.read_leads(p_account, p_leads, NULL, p_actor) AS r);
END
$$;
COMMENT ON FUNCTION followup.fact_plan(bigint, bigint[], followup.actor) IS
    'Locks and reads leads for what no state of theirs refuses: something that happened to them (a reply, a bounce, an unsubscribe), a status, another representative. reason: not_found, and of what p_actor says not_permitted and not_own_lead.';
