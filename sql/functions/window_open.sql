CREATE OR REPLACE FUNCTION followup.window_open(p_account bigint, p_lead_tz text, p_account_tz text, p_at timestamptz)
RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_local timestamp;
BEGIN
    IF NOT EXISTS (SELECT FROM followup.send_window AS w WHERE w.account_id = p_account) THEN
        RETURN true;
    END IF;
    v_local := p_at AT TIME ZONE followup.lead_timezone(p_lead_tz, p_account_tz);
    RETURN EXISTS (SELECT FROM followup.send_window AS w
                    WHERE w.account_id = p_account AND w.weekday = extract(isodow FROM v_local)::integer
                      AND w.opens <= v_local::time AND w.closes > v_local::time);
END
$$;
COMMENT ON FUNCTION followup.window_open(bigint, text, text, timestamptz) IS
    'May a message of this account leave at p_at (business time), in the lead''s zone? True where the account has no window. The zones as they are stored: see lead_timezone.';
