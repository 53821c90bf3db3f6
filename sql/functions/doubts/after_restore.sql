CREATE OR REPLACE FUNCTION followup.after_restore(p_skip bigint = 1000000)
RETURNS TABLE (account_id bigint, due bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_sequence regclass;
BEGIN
    IF p_skip IS NULL OR p_skip < 1 THEN
        RAISE EXCEPTION 'after_restore: p_skip is %, it must be at least 1', coalesce(p_skip::text, 'null') USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Whoever would take a lease meanwhile waits, and finds another epoch.
    PERFORM FROM followup.lease AS e ORDER BY e.shard FOR UPDATE;
    IF EXISTS (SELECT FROM followup.lease AS e WHERE e.owner IS NOT NULL AND e.expires_at > pg_catalog.clock_timestamp()) THEN
        RAISE EXCEPTION 'after_restore: a worker holds leases; stop every followupd first' USING ERRCODE = 'object_in_use';
    END IF;
    UPDATE followup.lease AS e SET epoch = e.epoch + p_skip, owner = NULL, expires_at = '-infinity';
    FOR v_sequence IN SELECT c.oid::regclass FROM pg_catalog.pg_class AS c
                       WHERE c.relnamespace = 'followup'::regnamespace AND c.relkind = 'S' LOOP
        PERFORM pg_catalog.setval(v_sequence, pg_catalog.nextval(v_sequence) + p_skip);
    END LOOP;
    RETURN QUERY
    SELECT m.account_id, pg_catalog.count(*)
      FROM followup.message AS m
     WHERE m.queued AND m.shard BETWEEN 0 AND 63 AND m.due_at <= followup.now() AND m.state = 'scheduled'
     GROUP BY m.account_id
     ORDER BY m.account_id;
END
$$;
COMMENT ON FUNCTION followup.after_restore(bigint) IS
    'After the database was restored from a backup, or a replica that lagged has taken over; before any followupd is started. Ids that were given out since the backup, and the keys made of them, belong to messages that are no longer known: no new one gets such an id (every sequence goes on p_skip later), no webhook of the time between finds another message, and no worker of that time has an epoch that counts. Answers how many messages of each account are due: each of them may have been sent since the backup. Refuses (55006) while a lease is held, and (22023) a p_skip below 1.';
