CREATE OR REPLACE FUNCTION followup.bulk_try(p_bulk followup.bulk, p_leads bigint[], p_before followup.bulk_lead[])
RETURNS SETOF followup.bulk_outcome
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_count integer := coalesce(pg_catalog.cardinality(p_leads), pg_catalog.cardinality(p_before));
    v_half  integer := v_count / 2;
    v_out   followup.bulk_outcome[];
    v_leads bigint[];
BEGIN
    BEGIN
        IF p_before IS NULL THEN
            v_out := ARRAY(SELECT followup.bulk_act(p_bulk, p_leads));
        ELSE
            v_out := ARRAY(SELECT followup.revert_leads(p_bulk, p_before));
        END IF;
    EXCEPTION
    -- What is nobody's fault fails the chunk, which is done again.
    WHEN transaction_rollback OR insufficient_resources OR operator_intervention OR system_error OR lock_not_available THEN
        RAISE;
    WHEN OTHERS THEN
        IF v_count = 1 THEN
            v_out := ARRAY[ROW(coalesce(p_leads[1], (p_before[1]).lead_id), false, 'error', SQLERRM, NULL)::followup.bulk_outcome];
        END IF;
    END;
    IF v_out IS NULL THEN
        -- All of them once more, or the second half's leads would be waited for with the first half's places under a cap taken.
        v_leads := coalesce(p_leads, ARRAY(SELECT u.lead_id FROM unnest(p_before) AS u));
        PERFORM followup.lock_leads(p_bulk.account_id, v_leads);
        PERFORM followup.lock_scheduled(p_bulk.account_id, v_leads);
        v_out := ARRAY(SELECT followup.bulk_try(p_bulk, p_leads[: v_half], p_before[: v_half]))
              || ARRAY(SELECT followup.bulk_try(p_bulk, p_leads[v_half + 1 :], p_before[v_half + 1 :]));
    END IF;
    RETURN QUERY SELECT * FROM unnest(v_out);
END
$$;
COMMENT ON FUNCTION followup.bulk_try(followup.bulk, bigint[], followup.bulk_lead[]) IS
    'Does (p_leads), or undoes (p_before), some leads of a bulk. When that raises, each half is tried by itself, down to the lead that raises: its outcome is error, all others are done. Deadlocks, cancelled statements and a server in trouble are raised.';
