CREATE OR REPLACE FUNCTION followup.window_open(
    p_account bigint, p_lead_tz text, p_account_tz text, p_country text, p_at timestamptz)
RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_windows boolean;
    v_near    boolean;  -- there is a holiday in these days
    v_local   timestamp;
BEGIN
    SELECT EXISTS (SELECT FROM followup.send_window AS w WHERE w.account_id = p_account),
           EXISTS (SELECT FROM followup.holiday AS h
                    WHERE h.date BETWEEN (p_at AT TIME ZONE 'UTC')::date - 1 AND (p_at AT TIME ZONE 'UTC')::date + 1
                      AND (h.account_id IS NULL OR h.account_id = p_account))
      INTO v_windows, v_near;
    IF NOT v_windows AND NOT v_near THEN
        RETURN true;
    END IF;
    v_local := p_at AT TIME ZONE followup.lead_timezone(p_lead_tz, p_account_tz);
    IF v_near AND followup.is_holiday(p_account, p_country, v_local::date) THEN
        RETURN false;
    END IF;
    RETURN NOT v_windows
        OR EXISTS (SELECT FROM followup.send_window AS w
                    WHERE w.account_id = p_account AND w.weekday = extract(isodow FROM v_local)::integer
                      AND w.opens <= v_local::time AND w.closes > v_local::time);
END
$$;
COMMENT ON FUNCTION followup.window_open(bigint, text, text, text, timestamptz) IS
    'May a message of this account leave at p_at (business time), in the lead''s zone: a window is open (or the account has none), and it is no holiday of the lead''s country or the account? The zones as they are stored: see lead_timezone.';
