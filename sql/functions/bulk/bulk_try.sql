CREATE OR REPLACE FUNCTION followup.bulk_try(p_bulk followup.bulk, p_leads bigint[], p_before followup.bulk_lead[])
RETURNS followup.bulk_outcome
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_count integer := coalesce(pg_catalog.cardinality(p_leads), pg_catalog.cardinality(p_before));
    v_half  integer := v_count / 2;
    v_leads bigint[];
    v_one   followup.bulk_outcome;
    v_other followup.bulk_outcome;
BEGIN
    BEGIN
        RETURN CASE WHEN p_before IS NULL THEN followup.bulk_act(p_bulk, p_leads) ELSE followup.revert_leads(p_bulk, p_before) END;
    EXCEPTION
    -- What is nobody's fault fails the chunk, which is done again.
    WHEN transaction_rollback OR insufficient_resources OR operator_intervention OR system_error OR lock_not_available THEN
        RAISE;
    WHEN OTHERS THEN
        IF v_count = 1 THEN
            RETURN ROW(0, '{"error": 1}', NULL, pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
                'lead_id', coalesce(p_leads[1], (p_before[1]).lead_id), 'error', SQLERRM)))::followup.bulk_outcome;
        END IF;
    END;
    -- All of them once more, or the second half's leads would be waited for with the first half's places under a cap taken.
    v_leads := coalesce(p_leads, ARRAY(SELECT u.lead_id FROM unnest(p_before) AS u));
    PERFORM followup.lock_leads(p_bulk.account_id, v_leads);
    PERFORM followup.lock_scheduled(p_bulk.account_id, v_leads);
    v_one := followup.bulk_try(p_bulk, p_leads[: v_half], p_before[: v_half]);
    v_other := followup.bulk_try(p_bulk, p_leads[v_half + 1 :], p_before[v_half + 1 :]);
    RETURN ROW(v_one.done + v_other.done, followup.add_counts(v_one.left_alone, v_other.left_alone), v_one.before || v_other.before,
               coalesce(v_one.errors, '[]') || coalesce(v_other.errors, '[]'))::followup.bulk_outcome;
END
$$;
COMMENT ON FUNCTION followup.bulk_try(followup.bulk, bigint[], followup.bulk_lead[]) IS
    'Does (p_leads), or undoes (p_before), some leads of a bulk. When that raises, each half is tried by itself, down to the lead that raises: it is left alone with its error, all others are done. Deadlocks, cancelled statements and a server in trouble are raised.';
