CREATE OR REPLACE FUNCTION followup.clock_is_replaced() RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT false $$;
COMMENT ON FUNCTION followup.clock_is_replaced() IS
    'True after sql/demo/fast_clock.sql: migrate refuses such a database, because it would put the real clock back.';
