CREATE OR REPLACE FUNCTION followup.postal_address_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM followup.sequence_version AS v WHERE v.account_id = NEW.id) THEN
        PERFORM followup.check_postal_address(ARRAY[NEW.id]);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.postal_address_written() IS
    'Trigger on account: the postal address of an account that has sequences may change, not go.';
