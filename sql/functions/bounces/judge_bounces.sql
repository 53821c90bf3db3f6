CREATE OR REPLACE FUNCTION followup.judge_bounces() RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_account bigint;
    v_any     boolean := false;
BEGIN
    FOR v_account IN
        SELECT DISTINCT k.account_id
          FROM (SELECT b.account_id FROM followup.bounce AS b WHERE NOT b.judged LIMIT 1000) AS k
         ORDER BY 1
    LOOP
        v_any := followup.judge_account(v_account) OR v_any;
    END LOOP;
    RETURN v_any;
END
$$;
COMMENT ON FUNCTION followup.judge_bounces() IS
    'Internal: judges the accounts that had bounces since they were last judged; false: there are none, or somebody else has the accounts that are to be paused.';
