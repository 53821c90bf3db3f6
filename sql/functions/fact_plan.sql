CREATE OR REPLACE FUNCTION followup.fact_plan(p_account bigint, p_leads bigint[]) RETURNS followup.lead_plan[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_plan followup.lead_plan[];
BEGIN
    PERFORM followup.lock_leads(p_account, p_leads);
    SELECT array_agg(ROW(r.lead_id, CASE WHEN r.state IS NULL THEN 'not_found' END, r.state, r.sub_state, r.timezone, r.country,
                         r.conversation_id, r.active, r.hold_until, r.sequence_id, r.version, r.assistant_id,
                         r.kind, r.step_position, r.step_key, r.due_at, NULL)::followup.lead_plan)
      INTO v_plan
      FROM followup.read_leads(p_account, p_leads, 'stop', ROW(NULL, NULL, true, NULL)::followup.actor) AS r;
    RETURN coalesce(v_plan, '{}');
END
$$;
COMMENT ON FUNCTION followup.fact_plan(bigint, bigint[]) IS
    'Locks and reads leads for something that happened to them (a reply, a bounce, an unsubscribe): no permission and no state refuses it; not_found only.';
