CREATE OR REPLACE FUNCTION followup.bulk_runs(p_account bigint, p_bulk bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_bulk followup.bulk;
BEGIN
    PERFORM followup.check_account(p_account);
    v_bulk := followup.lock_bulk(p_account, p_bulk);
    IF v_bulk.state = 'planned' THEN
        RAISE EXCEPTION 'bulk % is planned: commit it first', p_bulk USING ERRCODE = 'invalid_parameter_value';
    ELSIF v_bulk.state = 'running' AND v_bulk.run_at > followup.now() THEN
        RAISE EXCEPTION 'bulk % is not to be done before %', p_bulk, v_bulk.run_at USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION followup.bulk_runs(bigint, bigint) IS
    'Refuses (22023) a bulk that is not committed or whose time has not come, (42501) one of another account than the caller''s.';
