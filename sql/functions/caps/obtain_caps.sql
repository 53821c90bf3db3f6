CREATE OR REPLACE FUNCTION followup.obtain_caps(p_accounts bigint[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET lock_timeout = '100 ms' AS $$
DECLARE
    v_locked bigint[];
BEGIN
    -- A claim holds it for a moment, and the next one waits already: without a place in that queue we might never have it.
    BEGIN
        PERFORM followup.lock_caps(p_accounts);
        RETURN p_accounts;
    EXCEPTION WHEN lock_not_available THEN
        NULL;
    END;
    v_locked := ARRAY(SELECT k.account_id FROM followup.cap_lock AS k WHERE k.account_id = ANY (p_accounts) FOR NO KEY UPDATE SKIP LOCKED);
    RETURN ARRAY(SELECT u.id FROM unnest(p_accounts) AS u (id)
                  WHERE u.id = ANY (v_locked) OR NOT EXISTS (SELECT FROM followup.cap_lock AS k WHERE k.account_id = u.id));
END
$$;
COMMENT ON FUNCTION followup.obtain_caps(bigint[]) IS
    'Internal: lock_caps for whoever must not wait long: those of the accounts whose caps are locked now, or that never had any. Waits 100 ms for one that somebody has, then leaves out all that are not free.';
