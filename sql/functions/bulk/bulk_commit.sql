CREATE OR REPLACE FUNCTION followup.bulk_commit(
    p_account bigint, p_bulk bigint, p_expected_count bigint, p_run_at timestamptz = NULL, p_actor bigint = NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_bulk followup.bulk := followup.lock_bulk(p_account, p_bulk);
BEGIN
    PERFORM followup.bulk_actor(v_bulk, p_actor, v_bulk.action);
    PERFORM followup.check_instant('bulk_commit', p_run_at);
    IF v_bulk.state <> 'planned' THEN
        RAISE EXCEPTION 'bulk % is % already', p_bulk, v_bulk.state USING ERRCODE = 'invalid_parameter_value';
    ELSIF p_expected_count IS DISTINCT FROM (v_bulk.plan ->> 'done')::bigint THEN
        RAISE EXCEPTION 'bulk % is planned for % leads, not %', p_bulk, v_bulk.plan ->> 'done', coalesce(p_expected_count::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF p_run_at < followup.now() THEN
        RAISE EXCEPTION 'bulk_commit: % is in the past', p_run_at USING ERRCODE = 'invalid_parameter_value';
    ELSIF v_bulk.at < greatest(p_run_at, followup.now()) THEN
        RAISE EXCEPTION 'bulk % is planned for %, which is before it would be done', p_bulk, v_bulk.at
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE followup.bulk AS b SET state = 'running', run_at = p_run_at WHERE b.account_id = p_account AND b.id = p_bulk;
END
$$;
COMMENT ON FUNCTION followup.bulk_commit(bigint, bigint, bigint, timestamptz, bigint) IS
    'Makes a planned bulk run, by the daemon or by CALL followup.bulk_run. p_expected_count is what bulk_plan answered as would_be_done; another count is refused. p_run_at (business time): not before it. Raises 22023 for another count, a bulk that is not planned, an instant in the past; 42501 without the permission of its action.';
