CREATE OR REPLACE FUNCTION followup.assistant_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO followup.cap_lock (account_id) VALUES (NEW.account_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.assistant_inserted() IS 'Trigger on a new assistant with a daily cap or a ramp: its account has caps to lock now.';
