CREATE OR REPLACE FUNCTION followup.capped_assistant(p_account bigint, p_assistant bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT s.id FROM followup.assistant AS s
             WHERE s.account_id = p_account AND s.id = p_assistant AND (s.daily_cap IS NOT NULL OR s.ramp IS NOT NULL));
END
$$;
COMMENT ON FUNCTION followup.capped_assistant(bigint, bigint) IS
    'What to write into message.cap_assistant_id: the assistant if it has a daily cap or a ramp, else NULL.';
