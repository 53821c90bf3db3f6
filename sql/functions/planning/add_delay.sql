CREATE OR REPLACE FUNCTION followup.add_delay(
    p_account bigint, p_timezone text, p_country text, p_base timestamptz, p_delay interval, p_unit followup.delay_unit)
RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    c_days_max constant integer := 400;    -- more than this in a row without a business day is a mistake
    v_left     integer;
    v_barren   integer := 0;
    v_local    timestamp;
    v_weekdays integer[];
    v_holidays date[];
BEGIN
    IF NOT pg_catalog.isfinite(p_base) THEN     -- no day, none after it
        RETURN p_base;
    END IF;
    -- Not base + delay: that would count days in the zone of the session.
    IF p_unit = 'elapsed' THEN
        RETURN p_base + pg_catalog.make_interval(secs => extract(epoch FROM p_delay)::double precision);
    END IF;
    v_left := floor(extract(epoch FROM p_delay) / 86400)::integer;
    v_local := p_base AT TIME ZONE p_timezone;
    IF v_left > 0 THEN
        v_weekdays := coalesce((SELECT array_agg(DISTINCT w.weekday) FROM followup.send_window AS w WHERE w.account_id = p_account),
                               '{1,2,3,4,5}');
        v_holidays := ARRAY(SELECT h.date FROM followup.holiday AS h
                             WHERE h.date > v_local::date
                               AND (h.account_id IS NULL OR h.account_id = p_account)
                               AND (h.country IS NULL OR pg_catalog.lower(h.country) = pg_catalog.lower(p_country)));
    END IF;
    WHILE v_left > 0 LOOP
        v_local := v_local + '1 day'::interval;
        IF extract(isodow FROM v_local)::integer = ANY (v_weekdays) AND v_local::date <> ALL (v_holidays)
           AND (followup.local_instant(v_local::date + '12:00'::time, p_timezone) AT TIME ZONE p_timezone)::date = v_local::date THEN
            v_left := v_left - 1;
            v_barren := 0;
        ELSE
            v_barren := v_barren + 1;
            IF v_barren > c_days_max THEN
                RETURN 'infinity';
            END IF;
        END IF;
    END LOOP;
    RETURN followup.local_instant(v_local, p_timezone)
         + pg_catalog.make_interval(secs => (extract(epoch FROM p_delay) % 86400)::double precision);
END
$$;
COMMENT ON FUNCTION followup.add_delay(bigint, text, text, timestamptz, interval, followup.delay_unit) IS
    'base + delay. Elapsed: exact, a day is 24 hours and a month 30 days. Business days: so many days on which the account has a send window (Monday to Friday when it has none at all), that exist in p_timezone and are no holiday of p_country or the account; at the same local time, and what is less than a day elapsed. infinity: 400 days in a row without a business day.';
