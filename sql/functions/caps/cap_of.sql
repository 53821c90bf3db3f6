CREATE OR REPLACE FUNCTION followup.cap_of(p_daily_cap integer, p_ramp integer[], p_ramp_from date, p_day date) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_ramp_from IS NULL OR p_day - p_ramp_from >= pg_catalog.cardinality(p_ramp) THEN p_daily_cap
                ELSE coalesce(p_ramp[greatest(p_day - p_ramp_from, 0) + 1], p_daily_cap) END
$$;
COMMENT ON FUNCTION followup.cap_of(integer, integer[], date, date) IS
    'How many messages an assistant with this daily_cap, ramp and ramp_from may send on a day of the account''s zone; NULL: no cap. Before ramp_from the ramp''s first day holds; a ramp without ramp_from does not count.';
