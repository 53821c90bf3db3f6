CREATE OR REPLACE FUNCTION followup.add_delay(
    p_account bigint, p_timezone text, p_country text, p_base timestamptz, p_delay interval, p_unit followup.delay_unit)
RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_left  integer;
    v_local timestamp;
BEGIN
    -- Not base + delay: that would count days in the zone of the session.
    IF p_unit = 'elapsed' THEN
        RETURN p_base + pg_catalog.make_interval(secs => extract(epoch FROM p_delay)::double precision);
    END IF;
    v_left := floor(extract(epoch FROM p_delay) / 86400)::integer;
    v_local := p_base AT TIME ZONE p_timezone;
    WHILE v_left > 0 LOOP
        v_local := v_local + '1 day'::interval;
        IF extract(isodow FROM v_local) < 6 THEN
            v_left := v_left - 1;
        END IF;
    END LOOP;
    RETURN followup.local_instant(v_local, p_timezone)
         + pg_catalog.make_interval(secs => (extract(epoch FROM p_delay) % 86400)::double precision);
END
$$;
COMMENT ON FUNCTION followup.add_delay(bigint, text, text, timestamptz, interval, followup.delay_unit) IS
    'base + delay. Elapsed: exact, a day is 24 hours and a month 30 days. Business days: Monday to Friday of p_timezone, at the same local time, what is less than a day elapsed; holidays (p_account, p_country) are not left out yet.';
