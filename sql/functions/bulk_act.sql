CREATE OR REPLACE FUNCTION followup.bulk_act(p_bulk followup.bulk, p_leads bigint[]) RETURNS SETOF followup.bulk_outcome
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_before  followup.bulk_lead[];
    v_results followup.action_result[];
BEGIN
    PERFORM followup.lock_leads(p_bulk.account_id, p_leads);
    v_before := ARRAY(SELECT followup.bulk_before(p_bulk.account_id, p_leads));
    v_results := ARRAY(SELECT followup.act_on_leads(
        p_bulk.account_id, p_leads, p_bulk.action::followup.lead_action, p_bulk.sequence_id, p_bulk.assistant_id, p_bulk.at,
        p_bulk.acting, p_bulk.note, p_bulk.disqualified));
    RETURN QUERY
    SELECT r.lead_id, r.done, nullif(pg_catalog.concat_ws('/', r.reason, r.sub_state), ''), NULL::text,
           CASE WHEN r.done THEN
               ROW(b.lead_id, b.state, b.sub_state, b.sequence_id, b.assistant_id, b.conversation_id, b.active, b.version,
                   b.next_position, b.hold_until, b.ended_reason, b.ended_by, b.ended_at, b.message_id,
                   r.message_id)::followup.bulk_lead END
      FROM unnest(v_results) AS r
      LEFT JOIN unnest(v_before) AS b ON b.lead_id = r.lead_id;
END
$$;
COMMENT ON FUNCTION followup.bulk_act(followup.bulk, bigint[]) IS
    'Does the bulk''s action to some of its leads: one row a lead, with what it was before where it was done.';
