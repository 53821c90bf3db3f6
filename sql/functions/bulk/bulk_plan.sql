CREATE OR REPLACE FUNCTION followup.bulk_plan(
    p_account bigint, p_action text, p_filter text = NULL, p_at timestamptz = NULL, p_sequence bigint = NULL,
    p_assistant bigint = NULL, p_actor bigint = NULL, p_note text = NULL, p_include_disqualified boolean = false)
RETURNS TABLE (bulk_id bigint, leads bigint, would_be_done bigint, left_alone jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $$
DECLARE
    v_actor  followup.actor;
    v_now    timestamptz := followup.now();
    v_all    bigint[];
    v_some   bigint[];
    v_do     bigint[];
    v_left   jsonb;
    v_chunks integer := 0;
    c_chunk  constant integer := 2500;  -- leads a transaction: its locks are held for half a second to a second
    -- Only continue and restart leave them out.
    v_disqualified boolean := coalesce(p_include_disqualified, false) OR p_action NOT IN ('continue', 'restart');
BEGIN
    PERFORM followup.require_account(p_account);
    IF p_action IS NULL OR p_action NOT IN ('start', 'skip', 'stop', 'continue', 'restart') THEN
        RAISE EXCEPTION 'bulk_plan: there is no action %', coalesce('"' || p_action || '"', 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Actions: start, skip, stop, continue, restart.';
    END IF;
    v_actor := followup.require_permission(p_account, p_actor, p_action);
    PERFORM followup.check_instant('bulk_plan', p_at);
    IF p_at < v_now THEN
        RAISE EXCEPTION 'bulk_plan: % is in the past', p_at USING ERRCODE = 'invalid_parameter_value';
    ELSIF p_action = 'stop' AND p_at IS NOT NULL THEN
        RAISE EXCEPTION 'bulk_plan: a stop is at once, p_at must be NULL; bulk_commit takes p_run_at'
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF p_action NOT IN ('start', 'restart') AND pg_catalog.num_nonnulls(p_sequence, p_assistant) > 0 THEN
        RAISE EXCEPTION 'bulk_plan: % takes no sequence and no assistant', p_action USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM followup.check_sequence(p_account, p_sequence, p_assistant);
    PERFORM followup.check_steps(p_account, p_sequence);
    v_all := ARRAY(SELECT f FROM followup.find_leads(p_account, p_filter) AS f ORDER BY f);
    IF v_all = '{}' THEN
        RAISE EXCEPTION 'bulk_plan: no lead meets the filter "%"', coalesce(p_filter, '')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    INSERT INTO followup.bulk AS b (account_id, action, filter, plan, note, actor, sequence_id, assistant_id, at, disqualified, acting)
    VALUES (p_account, p_action, coalesce(p_filter, ''), '{}', p_note, p_actor, p_sequence, p_assistant, p_at,
            v_disqualified, v_actor)
    RETURNING b.id INTO bulk_id;
    leads := pg_catalog.cardinality(v_all);
    would_be_done := 0;
    left_alone := '{}';
    FOR i IN 0 .. (leads - 1) / c_chunk LOOP
        v_some := v_all[i * c_chunk + 1 : (i + 1) * c_chunk];
        WITH plan AS MATERIALIZED (
            SELECT p.lead_id, pg_catalog.concat_ws('/', p.reason, CASE WHEN p.reason IN ('deactivated', 'bounce_rate')
                                                                       THEN p.sub_state END) AS reason
              FROM followup.plan_action(p_account, v_some, p_action::followup.lead_action, p_sequence, p_assistant, p_at,
                                        v_now, v_actor, v_disqualified) AS p)
        SELECT ARRAY(SELECT p.lead_id FROM plan AS p WHERE p.reason = '' ORDER BY p.lead_id),
               (SELECT pg_catalog.jsonb_object_agg(r.reason, r.leads)
                  FROM (SELECT p.reason, count(*) AS leads FROM plan AS p WHERE p.reason <> '' GROUP BY p.reason) AS r)
          INTO v_do, v_left;
        would_be_done := would_be_done + pg_catalog.cardinality(v_do);
        left_alone := followup.add_counts(left_alone, v_left);
        IF v_do <> '{}' THEN
            v_chunks := v_chunks + 1;
            INSERT INTO followup.bulk_chunk (account_id, bulk_id, no, lead_ids) VALUES (p_account, bulk_plan.bulk_id, v_chunks, v_do);
        END IF;
    END LOOP;
    UPDATE followup.bulk AS b
       SET plan = pg_catalog.jsonb_build_object('leads', leads, 'done', would_be_done, 'left_alone', left_alone)
     WHERE b.account_id = p_account AND b.id = bulk_plan.bulk_id;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION followup.bulk_plan(bigint, text, text, timestamptz, bigint, bigint, bigint, text, boolean) IS
    'Plans an action (start, skip, stop, continue, restart) on all leads that meet a filter (see find_leads), and changes nothing but followup.bulk: the leads that it would be done to are frozen, the others are counted by reason (deactivated by sub_state: "deactivated/Retired"). p_at (business time), p_sequence, p_assistant as of the action; a lead whose turn comes after p_at is planned from then. Disqualified leads are left out of continue and restart unless p_include_disqualified. A representative''s bulk is over own leads only. Raises 42501 without the permission; 22023 for a filter that meets no lead, an instant in the past, a sequence without steps, an unknown account, action, sequence, assistant or actor. Next: bulk_commit.';
