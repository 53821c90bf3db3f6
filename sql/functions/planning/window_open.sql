CREATE OR REPLACE FUNCTION followup.window_open(
    p_account bigint, p_lead_tz text, p_account_tz text, p_country text, p_at timestamptz)
RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_local timestamp := p_at AT TIME ZONE followup.lead_timezone(p_lead_tz, p_account_tz);
BEGIN
    IF followup.is_holiday(p_account, p_country, v_local::date) THEN
        RETURN false;
    END IF;
    RETURN EXISTS (SELECT FROM followup.send_window AS w
                    WHERE w.account_id = p_account AND w.weekday = extract(isodow FROM v_local)::integer
                      AND w.opens <= v_local::time AND w.closes > v_local::time)
        OR NOT EXISTS (SELECT FROM followup.send_window AS w WHERE w.account_id = p_account);
END
$$;
COMMENT ON FUNCTION followup.window_open(bigint, text, text, text, timestamptz) IS
    'May a message of this account leave at p_at (business time), in the lead''s zone: a window is open (or the account has none), and it is no holiday of the lead''s country or the account? Exactly when plan_at (without jitter) would answer p_at. The zones as they are stored: see lead_timezone.';
