CREATE OR REPLACE FUNCTION followup.inbox_next_try(p_attempts integer) RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN p_attempts < 10 THEN pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => 5 * 4 ^ (p_attempts - 1)) END
$$;
COMMENT ON FUNCTION followup.inbox_next_try(integer) IS
    'Internal: when an event that was taken up in vain p_attempts (1, 2, ...) times is taken up again, real time: after 5 s, then four times as long each time; NULL after the tenth, five days after it came: it is given up.';
