-- Walked in pieces, each on one day of the lead's clock and without a change of it: inside one, the clock runs as time does, and
-- a window is open from the instant at which the clock shows its opening, or from the piece's first one. So a window that opens
-- in a gap opens where the gap ends, and the second pass of an hour that comes twice has its windows too.
CREATE OR REPLACE FUNCTION followup.sendable_at(p_account bigint, p_timezone text, p_country text, p_at timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    c_days_max constant integer := 400;
    v_asked    timestamp := p_at AT TIME ZONE p_timezone;
    v_at       timestamptz := p_at;         -- the piece: from here
    v_until    timestamptz;                 -- to here, exclusive
    v_day      date := v_asked::date;       -- what the clock shows at v_at
    v_time     time := v_asked::time;
    v_windows  boolean;
    v_opens    time;
    v_holiday  boolean;
BEGIN
    IF NOT pg_catalog.isfinite(p_at) THEN
        RETURN p_at;
    END IF;
    WHILE v_day <= v_asked::date + c_days_max LOOP
        SELECT EXISTS (SELECT FROM followup.send_window AS w WHERE w.account_id = p_account),
               (SELECT min(greatest(w.opens, v_time)) FROM followup.send_window AS w
                 WHERE w.account_id = p_account AND w.weekday = extract(isodow FROM v_day)::integer AND w.closes > v_time),
               EXISTS (SELECT FROM followup.holiday AS h       -- as is_holiday says; most messages need this one query
                        WHERE h.date = v_day AND (h.account_id IS NULL OR h.account_id = p_account)
                          AND (h.country IS NULL OR pg_catalog.lower(h.country) = pg_catalog.lower(p_country)))
          INTO v_windows, v_opens, v_holiday;
        IF NOT v_windows THEN
            RETURN CASE WHEN v_holiday THEN followup.past_holidays(p_account, p_timezone, p_country, p_at) ELSE p_at END;
        ELSIF v_opens = v_time AND NOT v_holiday THEN
            RETURN v_at;
        END IF;
        v_until := v_at + ('24:00'::time - v_time);
        IF v_until AT TIME ZONE p_timezone <> v_day + 1 THEN
            v_until := followup.clock_change(p_timezone, v_at, v_until);
        END IF;
        IF v_at + (v_opens - v_time) < v_until AND NOT v_holiday THEN
            RETURN v_at + (v_opens - v_time);
        END IF;
        v_at := v_until;
        v_day := (v_at AT TIME ZONE p_timezone)::date;
        v_time := (v_at AT TIME ZONE p_timezone)::time;
    END LOOP;
    RETURN 'infinity';
END
$$;
COMMENT ON FUNCTION followup.sendable_at(bigint, text, text, timestamptz) IS
    'The first instant from p_at on at which a message may leave (window_open): the clock of p_timezone shows a time inside a send window of the account, on no holiday of p_country or of the account. Without windows a holiday moves it to the same local time of the next day that is none (past_holidays). infinity: there is no such instant within 400 days.';
