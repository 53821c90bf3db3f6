CREATE OR REPLACE FUNCTION followup.report_timezone() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, at)
    VALUES (NEW.account_id, 'engine', 'unknown_timezone', NEW.id,
            'no zone is called "' || left(NEW.timezone, 100) || '": the account''s is used', followup.now());
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.report_timezone() IS
    'Trigger: a lead whose zone the server does not know is planned in the account''s zone; its timeline says so.';
