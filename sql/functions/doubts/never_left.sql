CREATE OR REPLACE FUNCTION followup.never_left(p_account bigint, p_message bigint, p_attempts integer, p_posts integer)
RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_posts <= 1
        OR p_posts - 1 = (SELECT count(*) FROM followup.attempt AS t
                           WHERE t.account_id = p_account AND t.message_id = p_message
                             AND t.no = p_attempts AND t.post < p_posts AND t.outcome = 'retry');
END
$$;
COMMENT ON FUNCTION followup.never_left(bigint, bigint, integer, integer) IS
    'Is it proved that no POST of this key (p_attempts) before the one numbered p_posts has reached the provider? Only a recorded `retry` proves it; an unrecorded or doubtful POST may have.';
