CREATE OR REPLACE FUNCTION followup.version_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM followup.check_postal_address(ARRAY(SELECT DISTINCT n.account_id FROM written AS n));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.version_inserted() IS
    'Trigger on INSERT of sequence_version, by import_sequence or by hand: by a version a sequence can be sent, so its account needs a postal address.';
