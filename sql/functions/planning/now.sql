-- Business time. sql/demo/fast_clock.sql replaces it, and only there does it differ from real time.
CREATE OR REPLACE FUNCTION followup.now() RETURNS timestamptz
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$ SELECT pg_catalog.clock_timestamp() $$;
COMMENT ON FUNCTION followup.now() IS
    'Business time: due times, windows, holds. Moves within a transaction; read it once after the locks are taken.';
