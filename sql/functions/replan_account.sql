CREATE OR REPLACE FUNCTION followup.replan_account(
    p_account bigint, p_reason text, p_assistant bigint = NULL, p_country text = NULL) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM followup.require_read_committed();
    -- Alone with the account: an action that plans with the old values has committed, or waits for the new ones.
    PERFORM FROM followup.account AS a WHERE a.id = p_account FOR NO KEY UPDATE;
    RETURN followup.replan_messages(p_account, followup.lock_scheduled(p_account, NULL, p_assistant, p_country), p_reason);
END
$$;
COMMENT ON FUNCTION followup.replan_account(bigint, text, bigint, text) IS
    'Plans all that is scheduled in an account again (of an assistant, of leads of a country: only that), in one statement. Answers how many messages moved.';
