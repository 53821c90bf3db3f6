-- Generic plans: else the look-up of each foreign key of each row is planned anew. They think that arrays are short, so nothing
-- here joins two of them but bulk_done. And they would outlive the tables that they were made for: a chunk makes its own.
CREATE OR REPLACE FUNCTION followup.bulk_work(p_account bigint, p_bulk bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    v_bulk  followup.bulk;
    v_chunk followup.bulk_chunk;
    v_out   followup.bulk_outcome;
    v_undo  boolean;
BEGIN
    PERFORM followup.check_account(p_account);
    v_bulk := followup.lock_bulk(p_account, p_bulk);
    IF v_bulk.state NOT IN ('running', 'undoing') THEN
        RETURN false;
    END IF;
    EXECUTE 'DISCARD PLANS';     -- one made for 25 leads, used for 2,500, took over 50 s
    v_undo := v_bulk.state = 'undoing';
    SELECT c.* INTO v_chunk FROM followup.bulk_chunk AS c
     WHERE c.account_id = p_account AND c.bulk_id = p_bulk
       AND CASE WHEN v_undo THEN c.ran_at IS NOT NULL AND c.undone_at IS NULL ELSE c.ran_at IS NULL END
     ORDER BY c.no LIMIT 1;
    IF NOT FOUND THEN
        UPDATE followup.bulk AS b
           SET state = CASE WHEN v_undo THEN 'undone' ELSE 'done' END::followup.bulk_state, finished_at = pg_catalog.clock_timestamp()
         WHERE b.account_id = p_account AND b.id = p_bulk;
        RETURN false;
    END IF;
    IF v_undo THEN
        v_out := followup.bulk_try(v_bulk, NULL, v_chunk.before);
        UPDATE followup.bulk_chunk AS c
           SET undone_at = pg_catalog.clock_timestamp(), undone = v_out.done, kept = coalesce(v_out.left_alone, '{}'),
               errors = c.errors || coalesce(v_out.errors, '[]')
         WHERE c.account_id = p_account AND c.bulk_id = p_bulk AND c.no = v_chunk.no;
    ELSE
        v_out := followup.bulk_try(v_bulk, v_chunk.lead_ids, NULL);
        UPDATE followup.bulk_chunk AS c
           SET ran_at = pg_catalog.clock_timestamp(), done = v_out.done, left_alone = coalesce(v_out.left_alone, '{}'),
               before = v_out.before, errors = coalesce(v_out.errors, '[]')
         WHERE c.account_id = p_account AND c.bulk_id = p_bulk AND c.no = v_chunk.no;
    END IF;
    UPDATE followup.bulk AS b SET worked_at = pg_catalog.clock_timestamp() WHERE b.account_id = p_account AND b.id = p_bulk;
    RETURN true;
END
$$;
COMMENT ON FUNCTION followup.bulk_work(bigint, bigint) IS
    'Does, or undoes, the next chunk of a committed bulk: at most 2,500 leads, and what became of them, in one transaction, so that a crash costs the chunk''s time and nothing else. false: nothing was left to do, it is done (or undone) now; or it does not run. Waits for whoever does a chunk of it.';
