CREATE OR REPLACE FUNCTION followup.lock_bulk(p_account bigint, p_bulk bigint) RETURNS followup.bulk
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_bulk followup.bulk;
BEGIN
    PERFORM followup.require_read_committed();
    SELECT b.* INTO v_bulk FROM followup.bulk AS b WHERE b.account_id = p_account AND b.id = p_bulk FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account % has no bulk %', coalesce(p_account::text, 'NULL'), coalesce(p_bulk::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN v_bulk;
END
$$;
COMMENT ON FUNCTION followup.lock_bulk(bigint, bigint) IS
    'The bulk, locked before everything else: so it is never done by two at once, and a cancel waits for the chunk that is being done. Unknown: 22023.';
