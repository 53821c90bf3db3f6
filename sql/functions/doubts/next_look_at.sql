CREATE OR REPLACE FUNCTION followup.next_look_at(
    p_claimed_at timestamptz, p_looked_up_at timestamptz, p_looks integer, p_settle_after_ms double precision) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT greatest(p_claimed_at, p_looked_up_at) + p_settle_after_ms * 2 ^ least(coalesce(p_looks, 0), 6) * '1 millisecond'::interval
$$;
COMMENT ON FUNCTION followup.next_look_at(timestamptz, timestamptz, integer, double precision) IS
    'Internal: when a message in doubt may be looked up at its provider, real time: p_settle_after_ms after the last claim or look, twice as long with each look, at most 64 times. p_looked_up_at and p_looks NULL: never yet.';
