-- Mail to leads shows the account's postal address; see check_postal_address.
DROP TRIGGER IF EXISTS postal_address ON followup.sequence_version;
CREATE TRIGGER postal_address AFTER INSERT ON followup.sequence_version REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION followup.version_inserted();
DROP TRIGGER IF EXISTS postal_address ON followup.account;
CREATE TRIGGER postal_address AFTER UPDATE OF postal_address ON followup.account FOR EACH ROW
WHEN (coalesce(btrim(NEW.postal_address), '') = '') EXECUTE FUNCTION followup.postal_address_written();
