CREATE OR REPLACE FUNCTION followup.sweep_due(
    p_shards integer[], p_from timestamptz, p_until timestamptz,
    p_after_due timestamptz, p_after_account bigint, p_after_message bigint, p_limit integer)
RETURNS TABLE (account_id bigint, message_id bigint, due_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    -- The index gives each shard's rows in order of due_at; merging 64 of them beats sorting all that is overdue.
    RETURN QUERY
    SELECT f.account_id, f.id, f.due_at
      FROM unnest(p_shards) AS s(shard)
     CROSS JOIN LATERAL (
         SELECT v.account_id, v.id, v.due_at
           FROM followup.message_to_load AS v
          WHERE v.shard = s.shard AND v.due_at >= greatest(p_from, p_after_due) AND v.due_at < p_until
            AND (p_after_due IS NULL
                 OR (v.due_at, v.account_id, v.id) > (p_after_due, coalesce(p_after_account, 0), coalesce(p_after_message, 0)))
          ORDER BY v.due_at, v.account_id, v.id
          LIMIT p_limit) AS f
     ORDER BY f.due_at, f.account_id, f.id
     LIMIT p_limit;
END
$$;
COMMENT ON FUNCTION followup.sweep_due(integer[], timestamptz, timestamptz, timestamptz, bigint, bigint, integer) IS
    'A page of what is scheduled, not paused and due in [p_from, p_until) (business time), by (due_at, account, message): the p_limit rows after (p_after_due, p_after_account, p_after_message), all NULL for the first page. Fewer rows than p_limit: the last page.';
