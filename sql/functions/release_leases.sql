CREATE OR REPLACE FUNCTION followup.release_leases(p_worker uuid, p_shards integer[], p_epochs bigint[]) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_count integer;
BEGIN
    UPDATE followup.lease AS e
       SET owner = NULL, expires_at = '-infinity'
      FROM unnest(p_shards, p_epochs) AS u(shard, epoch)
     WHERE e.shard = u.shard AND e.epoch = u.epoch AND e.owner = p_worker;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION followup.release_leases(uuid, integer[], bigint[]) IS
    'Gives shards up, so that another worker may take them at once. Call it when nothing is claimed any more: what is still sending then becomes in doubt. Answers how many were ours.';
