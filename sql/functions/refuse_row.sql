CREATE OR REPLACE FUNCTION followup.refuse_row() RETURNS trigger
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'new row for relation "%" violates check constraint "%"', TG_TABLE_NAME, TG_NAME
        USING ERRCODE = 'check_violation', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
END
$$;
COMMENT ON FUNCTION followup.refuse_row() IS
    'Trigger: raises 23514 as a CHECK named like the trigger would; what it refuses stands in the trigger''s WHEN.';
