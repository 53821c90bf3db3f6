-- By halves: PostgreSQL tells what a zone's clock shows, but not when it is changed.
CREATE OR REPLACE FUNCTION followup.clock_change(p_timezone text, p_after timestamptz, p_until timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    v_offset interval := p_after AT TIME ZONE p_timezone - p_after AT TIME ZONE 'UTC';
    v_before bigint := floor(extract(epoch FROM p_after));      -- a change comes at a whole second
    v_change bigint := floor(extract(epoch FROM p_until));
    v_half   timestamptz;
BEGIN
    WHILE v_change - v_before > 1 LOOP
        v_half := pg_catalog.to_timestamp((v_before + v_change) / 2);
        IF v_half AT TIME ZONE p_timezone - v_half AT TIME ZONE 'UTC' = v_offset THEN
            v_before := (v_before + v_change) / 2;
        ELSE
            v_change := (v_before + v_change) / 2;
        END IF;
    END LOOP;
    RETURN pg_catalog.to_timestamp(v_change);
END
$$;
COMMENT ON FUNCTION followup.clock_change(text, timestamptz, timestamptz) IS
    'Internal: the first instant at which the zone''s clock runs on what it is changed to between p_after (exclusive) and p_until (inclusive), at most a day apart; the caller knows that there is a change, and no zone has had two in a day. Cost: a look-up for each halving of the seconds, 17 for a day.';
