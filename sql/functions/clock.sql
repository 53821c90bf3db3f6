CREATE OR REPLACE FUNCTION followup.clock(OUT business timestamptz, OUT rate double precision) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL SAFE ROWS 1 AS $$ SELECT pg_catalog.clock_timestamp(), 1.0::double precision $$;
COMMENT ON FUNCTION followup.clock() IS
    'Business time now, and how many business seconds pass in a real one (1 but in a demo or a test).';
