CREATE OR REPLACE FUNCTION followup.lock_caps(p_accounts bigint[]) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM FROM followup.assistant AS s
      WHERE s.account_id = ANY (p_accounts) AND (s.daily_cap IS NOT NULL OR s.ramp IS NOT NULL)
      ORDER BY s.account_id, s.id FOR NO KEY UPDATE;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION followup.lock_caps(bigint[]) IS
    'The lock on all cap_use rows of these accounts: their assistants with a cap, in order; false: there are none. The last in the order of locks, after messages; whoever writes messages of several accounts calls it once before, so that no two of them wait for each other. Costs one small index look-up where nobody has a cap.';
