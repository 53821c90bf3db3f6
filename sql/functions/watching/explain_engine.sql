CREATE OR REPLACE FUNCTION followup.explain_engine(p_shard integer) RETURNS TABLE (cause text, clears_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN e.owner IS NULL THEN 'no worker: nobody owns its shard (' || p_shard || '); is followupd running?'
                WHEN e.expires_at <= pg_catalog.clock_timestamp()
                    THEN 'no worker: the lease of its shard (' || p_shard || ') ran out '
                         || extract(epoch FROM pg_catalog.clock_timestamp() - e.expires_at)::bigint || ' s ago'
                ELSE 'its worker is draining and claims no more' END,
           NULL::timestamptz
      FROM followup.lease AS e
      LEFT JOIN followup.worker AS w ON w.id = e.owner
     WHERE e.shard = p_shard AND (e.owner IS NULL OR e.expires_at <= pg_catalog.clock_timestamp() OR w.draining)
$$;
COMMENT ON FUNCTION followup.explain_engine(integer) IS 'Internal: why nobody would claim a due message of this shard; no row when somebody does.';
