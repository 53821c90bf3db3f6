CREATE OR REPLACE FUNCTION followup.any_caps(p_account bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM followup.assistant AS s
                    WHERE s.account_id = p_account AND (s.daily_cap IS NOT NULL OR s.ramp IS NOT NULL));
END
$$;
COMMENT ON FUNCTION followup.any_caps(bigint) IS
    'Has any assistant of the account a daily cap or a ramp? Asked once a statement, so that messages of the others cost nothing.';
