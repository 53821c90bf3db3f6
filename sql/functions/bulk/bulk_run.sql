-- Its commits forbid SECURITY DEFINER and SET here; bulk_work has both.
CREATE OR REPLACE PROCEDURE followup.bulk_run(p_account bigint, p_bulk bigint)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM followup.bulk_runs(p_account, p_bulk);
    COMMIT;
    WHILE followup.bulk_work(p_account, p_bulk) LOOP
        COMMIT;
    END LOOP;
    COMMIT;
END
$$;
COMMENT ON PROCEDURE followup.bulk_run(bigint, bigint) IS
    'CALL followup.bulk_run(account, bulk): does, or undoes, a committed bulk to its end, a commit every chunk; when it breaks off, call it again. Not inside a transaction. The daemon would do the same by itself. Raises 22023 for a bulk that is not committed or whose p_run_at has not come.';
