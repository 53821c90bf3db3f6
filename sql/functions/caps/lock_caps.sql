CREATE OR REPLACE FUNCTION followup.lock_caps(p_accounts bigint[]) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM FROM followup.cap_lock AS k WHERE k.account_id = ANY (p_accounts) ORDER BY k.account_id FOR NO KEY UPDATE;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION followup.lock_caps(bigint[]) IS
    'The lock on all cap_use rows of these accounts; false: none of their assistants ever had a cap. The last in the order of locks, after messages: whoever has it waits for no other lock, so whoever writes messages locks all of them before, and those of several accounts call it once. Costs one small index look-up where nobody has a cap.';
