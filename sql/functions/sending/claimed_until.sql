CREATE OR REPLACE FUNCTION followup.claimed_until(p_business timestamptz, p_rate double precision) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT p_business + '50 milliseconds'::pg_catalog.interval * p_rate
$$;
COMMENT ON FUNCTION followup.claimed_until(timestamptz, double precision) IS
    'Internal: what is due by then may be claimed at that business time; its worker holds it until it is due. p_rate: business seconds in a real one. store.h has these 50 ms (real) too.';
