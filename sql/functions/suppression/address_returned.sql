CREATE OR REPLACE FUNCTION followup.address_returned() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM followup.erased_address AS e WHERE e.account_id = NEW.account_id) THEN
        PERFORM followup.write_suppressions(NEW.account_id, ARRAY[NEW.email], e.reason, 'erase_lead',
                                            'a lead of this address was erased on ' || (e.erased_at AT TIME ZONE 'UTC')::date)
           FROM followup.erased_address AS e
          WHERE e.account_id = NEW.account_id AND e.digest = followup.address_digest(NEW.account_id, NEW.email);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.address_returned() IS
    'Trigger on lead, a row at a time and so before those of the statement: an address that must not be written to since before its lead was erased (erased_address) is on the suppression list again.';
