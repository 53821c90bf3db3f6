CREATE OR REPLACE FUNCTION followup.unpack_webhooks(p_limit integer, OUT taken integer, OUT events integer, OUT failed integer)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_rows  tid[];
    v_place integer;
BEGIN
    events := 0;
    failed := 0;
    -- At most 256 KiB of them, or one.
    SELECT array_agg(k.place ORDER BY k.received_at, k.id) INTO v_rows
      FROM (SELECT n.*, sum(n.bytes) OVER (ORDER BY n.received_at, n.id) - n.bytes AS before
              FROM (SELECT w.ctid AS place, w.id, w.received_at, pg_catalog.pg_column_size(w.events) AS bytes
                      FROM followup.webhook AS w
                     WHERE w.error IS NULL
                     ORDER BY w.received_at
                     LIMIT p_limit
                       FOR NO KEY UPDATE SKIP LOCKED) AS n) AS k
     WHERE k.before < 262144;
    taken := coalesce(pg_catalog.cardinality(v_rows), 0);
    IF taken = 0 THEN
        RETURN;
    END IF;
    BEGIN       -- mostly nothing is wrong with any of them
        events := followup.unpack_locked(v_rows);
    EXCEPTION WHEN OTHERS THEN
        FOR v_place IN 1..taken LOOP
            BEGIN
                events := events + followup.unpack_locked(v_rows[v_place:v_place]);
            EXCEPTION WHEN OTHERS THEN
                UPDATE followup.webhook AS w SET error = SQLERRM WHERE w.ctid = v_rows[v_place];
                failed := failed + 1;
            END;
        END LOOP;
    END;
END
$$;
COMMENT ON FUNCTION followup.unpack_webhooks(integer) IS
    'Internal, of apply_inbox: takes the oldest stored webhooks apart into provider_event, at most p_limit and 256 KiB of them, without those that another caller has. taken: webhooks; events: those that were not known before; failed: webhooks that hold what is no typed event: kept with their error. Waits for another caller that brings the same event; so nothing else may be locked before.';
