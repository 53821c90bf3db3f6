CREATE OR REPLACE FUNCTION followup.account_zone_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM followup.replan_account(NEW.id, 'planned anew: the account''s zone changed');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.account_zone_written() IS
    'Trigger on account.timezone: what is scheduled for its leads is planned again.';
