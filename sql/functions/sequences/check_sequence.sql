CREATE OR REPLACE FUNCTION followup.check_sequence(p_account bigint, p_sequence bigint, p_assistant bigint) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_sequence IS NOT NULL
       AND NOT EXISTS (SELECT FROM followup.sequence AS s WHERE s.account_id = p_account AND s.id = p_sequence) THEN
        RAISE EXCEPTION 'account % has no sequence %', p_account, p_sequence USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_assistant IS NOT NULL
       AND NOT EXISTS (SELECT FROM followup.assistant AS a WHERE a.account_id = p_account AND a.id = p_assistant) THEN
        RAISE EXCEPTION 'account % has no assistant %', p_account, p_assistant USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION followup.check_sequence(bigint, bigint, bigint) IS
    'Refuses (22023) a sequence or an assistant that the account does not have; NULL is fine.';
