CREATE OR REPLACE FUNCTION followup.sweep_due(
    p_shards integer[], p_from timestamptz, p_until timestamptz,
    p_after_due timestamptz, p_after_account bigint, p_after_message bigint, p_limit integer)
RETURNS TABLE (account_id bigint, message_id bigint, due_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_after_shard integer := followup.shard_of(nullif(p_after_account, 0));    -- NULL: the first page
    v_first       bigint := -9223372036854775808;
BEGIN
    -- The index has this order, so a page reads its own rows and no others, however many are due at the same instant. A
    -- LATERAL with a LIMIT can only be a nested loop: shard by shard, and it ends with the page. An ORDER BY around it would
    -- have the planner, which guesses small, read a page of every shard and sort.
    RETURN QUERY
    SELECT f.account_id, f.id, f.due_at
      FROM (SELECT u.shard, (u.shard = v_after_shard AND p_after_due >= p_from) IS TRUE AS goes_on
              FROM unnest(p_shards) AS u(shard)
             WHERE v_after_shard IS NULL OR u.shard >= v_after_shard
             ORDER BY u.shard OFFSET 0) AS s
     CROSS JOIN LATERAL (
         SELECT v.account_id, v.id, v.due_at
           FROM followup.message_to_load AS v
          WHERE v.shard = s.shard AND v.due_at < p_until
            AND (v.due_at, v.account_id, v.id) > (CASE WHEN s.goes_on THEN p_after_due ELSE p_from END,
                                                  CASE WHEN s.goes_on THEN p_after_account ELSE v_first END,
                                                  CASE WHEN s.goes_on THEN p_after_message ELSE v_first END)
          ORDER BY v.due_at, v.account_id, v.id
          LIMIT p_limit) AS f
     LIMIT p_limit;
END
$$;
COMMENT ON FUNCTION followup.sweep_due(integer[], timestamptz, timestamptz, timestamptz, bigint, bigint, integer) IS
    'A page of what is scheduled, not paused and due in [p_from, p_until) (business time), by (shard, due_at, account, message): the p_limit rows after (p_after_due, p_after_account, p_after_message), all NULL for the first page. The place stays good when the interval has moved on meanwhile. Fewer rows than p_limit: the last page.';
