-- A custom plan knows how long the arrays are, and joins them by hash.
CREATE OR REPLACE FUNCTION followup.bulk_done(
    p_before followup.bulk_lead[], p_plan followup.lead_plan[], p_leads bigint[], p_messages bigint[])
RETURNS followup.bulk_lead[]
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(b.lead_id, b.state, b.sub_state, b.sequence_id, b.assistant_id, b.conversation_id, b.active, b.version,
                   b.hold_until, b.ended_reason, b.ended_by, b.ended_at, b.message_id,
                   m.message_id)::followup.bulk_lead
          FROM unnest(p_plan) AS p
          JOIN unnest(p_before) AS b ON b.lead_id = p.lead_id
          LEFT JOIN unnest(p_leads, p_messages) AS m (lead_id, message_id) ON m.lead_id = p.lead_id
         WHERE p.reason IS NULL);
END
$$;
COMMENT ON FUNCTION followup.bulk_done(followup.bulk_lead[], followup.lead_plan[], bigint[], bigint[]) IS
    'Those of the leads to whom an action was done by its plan, as they were before, each with the message that was scheduled (p_leads, p_messages: parallel).';
