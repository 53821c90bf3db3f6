CREATE OR REPLACE FUNCTION followup.window_open(p_account bigint, p_lead_tz text, p_account_tz text, p_at timestamptz)
RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_zone text;
    v_day  date;
BEGIN
    IF NOT EXISTS (SELECT FROM followup.send_window AS w WHERE w.account_id = p_account) THEN
        RETURN true;
    END IF;
    v_zone := followup.lead_timezone(p_lead_tz, p_account_tz);
    v_day := (p_at AT TIME ZONE v_zone)::date;
    -- As plan_at reads a window. Comparing times of day would differ on the nights when clocks change, and a message
    -- that the plan lets leave and the claim does not would be asked about until they agree again.
    RETURN EXISTS (SELECT FROM followup.send_window AS w
                    WHERE w.account_id = p_account AND w.weekday = extract(isodow FROM v_day)::integer
                      AND followup.local_instant(v_day + w.opens, v_zone) <= p_at
                      AND p_at < followup.local_instant(v_day + w.closes, v_zone));
END
$$;
COMMENT ON FUNCTION followup.window_open(bigint, text, text, timestamptz) IS
    'May a message of this account leave at p_at (business time), in the lead''s zone? True where the account has no window; else exactly when plan_at would answer p_at. The zones as they are stored: see lead_timezone.';
