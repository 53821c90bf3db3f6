CREATE OR REPLACE FUNCTION followup.sendable_at(p_account bigint, p_timezone text, p_country text, p_at timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    c_days_max constant integer := 400;
    v_local    timestamp := p_at AT TIME ZONE p_timezone;
    v_windows  boolean;
    v_open     boolean;
    v_holiday  boolean;
    v_day      date;
    v_found    timestamptz;
BEGIN
    IF NOT pg_catalog.isfinite(p_at) THEN
        RETURN p_at;
    END IF;
    v_day := v_local::date;
    SELECT EXISTS (SELECT FROM followup.send_window AS w WHERE w.account_id = p_account),
           EXISTS (SELECT FROM followup.send_window AS w
                    WHERE w.account_id = p_account AND w.weekday = extract(isodow FROM v_day)::integer
                      AND w.opens <= v_local::time AND w.closes > v_local::time),
           EXISTS (SELECT FROM followup.holiday AS h
                    WHERE h.date = v_day AND (h.account_id IS NULL OR h.account_id = p_account)
                      AND (h.country IS NULL OR pg_catalog.lower(h.country) = pg_catalog.lower(p_country)))
      INTO v_windows, v_open, v_holiday;
    IF NOT v_holiday AND (v_open OR NOT v_windows) THEN
        RETURN p_at;
    END IF;
    FOR v_ahead IN 0..c_days_max LOOP
        v_day := v_local::date + v_ahead;
        CONTINUE WHEN CASE WHEN v_ahead = 0 THEN v_holiday ELSE followup.is_holiday(p_account, p_country, v_day) END;
        IF NOT v_windows THEN
            v_found := followup.local_instant(v_day + v_local::time, p_timezone);
            CONTINUE WHEN (v_found AT TIME ZONE p_timezone)::date <> v_day;     -- there is no such day
            RETURN v_found;
        END IF;
        SELECT min(o.opens) INTO v_found
          FROM followup.send_window AS w
         CROSS JOIN LATERAL (SELECT followup.local_instant(v_day + w.opens, p_timezone) AS opens) AS o
         WHERE w.account_id = p_account AND w.weekday = extract(isodow FROM v_day)::integer
           AND o.opens > p_at
           AND o.opens AT TIME ZONE p_timezone < v_day + w.closes;  -- a gap, or a missing day, swallows a window
        IF v_found IS NOT NULL THEN
            RETURN v_found;
        END IF;
    END LOOP;
    RETURN 'infinity';
END
$$;
COMMENT ON FUNCTION followup.sendable_at(bigint, text, text, timestamptz) IS
    'The first instant from p_at on at which a message may leave: inside a send window of the account in p_timezone, on no holiday of p_country or of the account. Without windows a holiday moves it to the same local time of the next day that is none. infinity: there is no such instant within 400 days.';
