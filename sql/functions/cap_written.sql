CREATE OR REPLACE FUNCTION followup.cap_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM followup.replan_account(NEW.account_id, 'planned anew: the cap of the assistant changed', NEW.id);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.cap_written() IS
    'Trigger on daily_cap, ramp and ramp_from of an assistant: what it is to send is planned again.';
