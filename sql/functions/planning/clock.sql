CREATE OR REPLACE FUNCTION followup.clock(OUT business timestamptz, OUT rate double precision) RETURNS SETOF record
LANGUAGE plpgsql VOLATILE PARALLEL SAFE ROWS 1 AS $$   -- a volatile set in SQL would be parsed and planned at each call
BEGIN
    business := pg_catalog.clock_timestamp();
    rate := 1;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION followup.clock() IS
    'Business time now, and how many business seconds pass in a real one (1 but in a demo or a test).';
