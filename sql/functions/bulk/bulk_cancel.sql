CREATE OR REPLACE FUNCTION followup.bulk_cancel(p_account bigint, p_bulk bigint, p_actor bigint = NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_bulk followup.bulk := followup.lock_bulk(p_account, p_bulk);
BEGIN
    PERFORM followup.bulk_actor(v_bulk, p_actor, v_bulk.action);
    IF v_bulk.state NOT IN ('planned', 'running') THEN
        RAISE EXCEPTION 'bulk % is % already', p_bulk, v_bulk.state USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE followup.bulk AS b SET state = 'cancelled', finished_at = pg_catalog.clock_timestamp()
     WHERE b.account_id = p_account AND b.id = p_bulk;
END
$$;
COMMENT ON FUNCTION followup.bulk_cancel(bigint, bigint, bigint) IS
    'No further chunk of the bulk is done; what is done stays (bulk_undo takes it back). Waits for the chunk that is being done. Raises 22023 for a bulk that is neither planned nor running, 42501 without the permission of its action.';
