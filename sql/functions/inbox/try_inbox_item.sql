CREATE OR REPLACE FUNCTION followup.try_inbox_item(p_item followup.inbox_item) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM followup.apply_inbox_item(p_item);
    RETURN 'applied';
EXCEPTION
    WHEN lock_not_available THEN
        RETURN 'busy';
    WHEN query_canceled OR OTHERS THEN
        -- What takes a whole statement_timeout (it runs from a little before statement_timestamp) is put off like any error.
        -- Another cancel means us, and not the event.
        IF SQLSTATE = '57014' AND (pg_catalog.clock_timestamp() - pg_catalog.statement_timestamp()
                                   >= 0.9 * nullif(pg_catalog.current_setting('statement_timeout'), '0')::interval) IS NOT TRUE THEN
            RAISE;
        END IF;
        RETURN pg_catalog.left(SQLSTATE || ': ' || SQLERRM, 500);
END
$$;
COMMENT ON FUNCTION followup.try_inbox_item(followup.inbox_item) IS
    'Internal: applies one event in a subtransaction of its own; answers applied, busy (somebody else has what it writes: waits 100 ms for a lock, and not at all for a reply''s account and lead), or the error, and then nothing has happened. An event that takes up the statement_timeout is an error too; after that the statement has no limit: the caller ends soon.';
