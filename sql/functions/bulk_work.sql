CREATE OR REPLACE FUNCTION followup.bulk_work(p_account bigint, p_bulk bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $$
DECLARE
    v_bulk  followup.bulk;
    v_chunk followup.bulk_chunk;
    v_out   followup.bulk_outcome[];
    v_undo  boolean;
    v_done  integer;
    v_left  jsonb;
BEGIN
    PERFORM followup.check_account(p_account);
    v_bulk := followup.lock_bulk(p_account, p_bulk);
    IF v_bulk.state NOT IN ('running', 'undoing') THEN
        RETURN false;
    END IF;
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
        v_out := ARRAY(SELECT followup.bulk_try(v_bulk, NULL, v_chunk.before));
    ELSE
        v_out := ARRAY(SELECT followup.bulk_try(v_bulk, v_chunk.lead_ids, NULL));
    END IF;
    SELECT count(*) FILTER (WHERE o.done) INTO v_done FROM unnest(v_out) AS o;
    SELECT coalesce(pg_catalog.jsonb_object_agg(r.reason, r.leads), '{}') INTO v_left
      FROM (SELECT o.reason, count(*) AS leads FROM unnest(v_out) AS o WHERE NOT o.done GROUP BY o.reason) AS r;
    UPDATE followup.bulk_chunk AS c
       SET ran_at = CASE WHEN v_undo THEN c.ran_at ELSE pg_catalog.clock_timestamp() END,
           undone_at = CASE WHEN v_undo THEN pg_catalog.clock_timestamp() END,
           done = CASE WHEN v_undo THEN c.done ELSE v_done END,
           left_alone = CASE WHEN v_undo THEN c.left_alone ELSE v_left END,
           before = CASE WHEN v_undo THEN c.before ELSE ARRAY(SELECT o.before FROM unnest(v_out) AS o WHERE o.done ORDER BY o.lead_id) END,
           undone = CASE WHEN v_undo THEN v_done END,
           kept = CASE WHEN v_undo THEN v_left END,
           errors = coalesce(c.errors, '[]') || coalesce(
               (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('lead_id', o.lead_id, 'error', o.error) ORDER BY o.lead_id)
                  FROM unnest(v_out) AS o WHERE o.error IS NOT NULL), '[]')
     WHERE c.account_id = p_account AND c.bulk_id = p_bulk AND c.no = v_chunk.no;
    UPDATE followup.bulk AS b SET worked_at = pg_catalog.clock_timestamp() WHERE b.account_id = p_account AND b.id = p_bulk;
    RETURN true;
END
$$;
COMMENT ON FUNCTION followup.bulk_work(bigint, bigint) IS
    'Does, or undoes, the next chunk of a committed bulk: at most 10,000 leads, and what became of them, in one transaction, so that a crash costs the chunk''s time and nothing else. false: nothing was left to do, it is done (or undone) now; or it does not run. Waits for whoever does a chunk of it.';
