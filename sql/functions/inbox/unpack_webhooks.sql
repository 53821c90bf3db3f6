CREATE OR REPLACE FUNCTION followup.unpack_webhooks(p_limit integer, OUT taken integer, OUT events integer, OUT failed integer)
LANGUAGE plpgsql VOLATILE SET lock_timeout = '100 ms' AS $$
DECLARE
    v_rows     tid[];       -- parallel arrays
    v_accounts bigint[];
    v_busy     bigint[] := '{}';
    v_put_off  integer;
BEGIN
    events := 0;
    failed := 0;
    -- At most 256 KiB of them, or one.
    SELECT array_agg(k.place ORDER BY k.received_at, k.id), array_agg(k.account_id ORDER BY k.received_at, k.id) INTO v_rows, v_accounts
      FROM (SELECT n.*, sum(n.bytes) OVER (ORDER BY n.received_at, n.id) - n.bytes AS before
              FROM (SELECT w.ctid AS place, w.account_id, w.id, w.received_at, pg_catalog.pg_column_size(w.events) AS bytes
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
            CONTINUE WHEN v_accounts[v_place] = ANY (v_busy);
            BEGIN
                events := events + followup.unpack_locked(v_rows[v_place:v_place]);
            EXCEPTION
                WHEN lock_not_available THEN
                    v_busy := v_busy || v_accounts[v_place];
                WHEN OTHERS THEN
                    UPDATE followup.webhook AS w SET error = SQLERRM WHERE w.ctid = v_rows[v_place];
                    failed := failed + 1;
            END;
        END LOOP;
        -- Behind all others.
        UPDATE followup.webhook AS w SET received_at = pg_catalog.clock_timestamp()
         WHERE w.ctid = ANY (v_rows) AND w.account_id = ANY (v_busy) AND w.error IS NULL;
        GET DIAGNOSTICS v_put_off = ROW_COUNT;
        taken := taken - v_put_off;
    END;
END
$$;
COMMENT ON FUNCTION followup.unpack_webhooks(integer) IS
    'Internal, of apply_inbox: takes the oldest stored webhooks apart into provider_event, at most p_limit and 256 KiB of them, without those that another caller has. taken: webhooks; events: those that were not known before; failed: webhooks that hold what is no typed event: kept with their error. Waits 100 ms for another that brings the same event, or for whoever deletes the account; then the account''s webhooks of this call are put off, and count as received now. taken: without these.';
