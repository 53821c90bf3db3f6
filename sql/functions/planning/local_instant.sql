-- The only place that turns a local time into an instant. AT TIME ZONE takes the second pass of an overlap; an hour that
-- comes twice is meant when it comes first.
CREATE OR REPLACE FUNCTION followup.local_instant(p_local timestamp, p_timezone text) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    v_second timestamptz := p_local AT TIME ZONE p_timezone;
    v_before timestamptz := v_second - '24 hours'::interval;
    v_first  timestamptz;
BEGIN
    -- Read with the offset of a day earlier: the same instant, but for the days of a change.
    v_first := v_before + (p_local - (v_before AT TIME ZONE p_timezone));
    IF v_first < v_second AND v_first AT TIME ZONE p_timezone = p_local THEN
        RETURN v_first;
    END IF;
    RETURN v_second;
END
$$;
COMMENT ON FUNCTION followup.local_instant(timestamp, text) IS
    'The instant of a local time: in a gap what AT TIME ZONE answers (02:30 -> 03:30, a missing day -> the next), in an overlap the first pass. Raises 22023 for an unknown zone.';
