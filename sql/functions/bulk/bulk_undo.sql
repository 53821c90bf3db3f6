CREATE OR REPLACE FUNCTION followup.bulk_undo(p_account bigint, p_bulk bigint, p_actor bigint = NULL, p_note text = NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_bulk  followup.bulk := followup.lock_bulk(p_account, p_bulk);
    v_actor followup.actor := followup.bulk_actor(v_bulk, p_actor, CASE v_bulk.action WHEN 'stop' THEN 'reactivate' ELSE v_bulk.action END);
BEGIN
    IF v_bulk.state NOT IN ('running', 'done', 'cancelled') THEN
        RAISE EXCEPTION 'bulk % is %: there is nothing to undo', p_bulk, v_bulk.state USING ERRCODE = 'invalid_parameter_value';
    ELSIF v_bulk.action = 'stop' AND coalesce(pg_catalog.btrim(p_note), '') = '' THEN
        RAISE EXCEPTION 'bulk_undo: a note is needed to write to stopped leads again' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE followup.bulk AS b SET state = 'undoing', undoing = v_actor, undo_note = p_note, finished_at = NULL
     WHERE b.account_id = p_account AND b.id = p_bulk;
END
$$;
COMMENT ON FUNCTION followup.bulk_undo(bigint, bigint, bigint, text) IS
    'Takes a bulk back as far as nothing of it has been sent, chunk by chunk, by the daemon or by CALL followup.bulk_run; one that still runs goes no further. Each lead is as it was before, its message of then is scheduled again (never before its old time); what left is counted and stays: see revert_leads. To undo a stop the permission reactivate and a note are needed. Raises 22023 for a bulk that has done nothing, 42501 without the permission.';
