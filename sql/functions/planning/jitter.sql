CREATE OR REPLACE FUNCTION followup.jitter(p_account bigint, p_seed bigint, p_max interval) RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- 24 bits of a hash as a share of p_max, in whole microseconds.
    SELECT pg_catalog.make_interval(secs =>
        (((extract(epoch FROM p_max) * 1000000)::bigint
          * ('x' || pg_catalog.left(pg_catalog.md5(p_account || '/' || coalesce(p_seed, 0)), 6))::bit(24)::integer) >> 24)
        / 1000000.0::double precision)
$$;
COMMENT ON FUNCTION followup.jitter(bigint, bigint, interval) IS
    'From 0 to less than p_max (at most 24 hours), always the same for the same account and seed.';
