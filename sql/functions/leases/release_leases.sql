CREATE OR REPLACE FUNCTION followup.release_leases(p_worker uuid, p_shards integer[], p_epochs bigint[]) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_count integer;
BEGIN
    UPDATE followup.lease AS e
       SET owner = NULL, expires_at = pg_catalog.clock_timestamp()
      FROM unnest(p_shards, p_epochs) AS u(shard, epoch)
     WHERE e.shard = u.shard AND e.epoch = u.epoch AND e.owner = p_worker;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count > 0 THEN
        PERFORM pg_catalog.pg_notify('followup', 'l');  -- a hint: other workers look at once
    END IF;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION followup.release_leases(uuid, integer[], bigint[]) IS
    'Gives shards up, so that the worker that is preferred for them may take them at once, another after a lease''s time; tells the workers by NOTIFY. Call it when nothing is claimed any more: what is still sending then becomes in doubt. Answers how many were ours.';
