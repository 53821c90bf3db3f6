CREATE OR REPLACE FUNCTION followup.next_post_at(p_claimed_at timestamptz, p_posts integer, p_settle_after_ms double precision) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT p_claimed_at + p_settle_after_ms * 2 ^ least(p_posts - 1, 7) * '1 millisecond'::interval
$$;
COMMENT ON FUNCTION followup.next_post_at(timestamptz, integer, double precision) IS
    'Internal: when a message in doubt may be posted again under its key, real time: p_settle_after_ms after the last claim, twice as long with each POST of the key, at most 128 times.';
