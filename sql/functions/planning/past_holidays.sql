CREATE OR REPLACE FUNCTION followup.past_holidays(p_account bigint, p_timezone text, p_country text, p_at timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    c_days_max constant integer := 400;
    v_local    timestamp := p_at AT TIME ZONE p_timezone;
    v_day      date := v_local::date;
    v_found    timestamptz := p_at;
BEGIN
    WHILE followup.is_holiday(p_account, p_country, v_day)
          OR (v_found AT TIME ZONE p_timezone)::date <> v_day LOOP      -- there is no such day
        v_day := v_day + 1;
        IF v_day > v_local::date + c_days_max THEN
            RETURN 'infinity';
        END IF;
        v_found := followup.local_instant(v_day + v_local::time, p_timezone);
    END LOOP;
    RETURN v_found;
END
$$;
COMMENT ON FUNCTION followup.past_holidays(bigint, text, text, timestamptz) IS
    'Internal, for an account without send windows: p_at, or if it is on a holiday of p_country or of the account the same local time of the next day that exists and is none. infinity: there is none within 400 days.';
