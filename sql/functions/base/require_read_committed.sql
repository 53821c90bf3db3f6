CREATE OR REPLACE FUNCTION followup.require_read_committed() RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF pg_catalog.current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'this function needs READ COMMITTED, the transaction is %',
            pg_catalog.upper(pg_catalog.current_setting('transaction_isolation'))
            USING ERRCODE = 'invalid_transaction_state',
                  HINT = 'It locks first and reads what others committed meanwhile; an older snapshot would not show it.';
    END IF;
END
$$;
COMMENT ON FUNCTION followup.require_read_committed() IS
    'Refuses (25000) any isolation level but READ COMMITTED; called first by every function that locks and then decides.';
