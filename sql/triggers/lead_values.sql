-- What would be CHECKs, if those were not evaluated at each UPDATE of a state too. Like a CHECK, NULL passes.
DROP TRIGGER IF EXISTS lead_email_check ON followup.lead;
CREATE TRIGGER lead_email_check AFTER INSERT OR UPDATE OF email ON followup.lead FOR EACH ROW
WHEN (NOT (NEW.email ~ '^[^[:space:][:cntrl:],<>@]+@[^[:space:][:cntrl:],<>@]+$' AND pg_catalog.length(NEW.email) <= 320))
EXECUTE FUNCTION followup.refuse_row();
DROP TRIGGER IF EXISTS lead_first_name_check ON followup.lead;
CREATE TRIGGER lead_first_name_check AFTER INSERT OR UPDATE OF first_name ON followup.lead FOR EACH ROW
WHEN (NEW.first_name ~ '[[:cntrl:]]') EXECUTE FUNCTION followup.refuse_row();
DROP TRIGGER IF EXISTS lead_last_name_check ON followup.lead;
CREATE TRIGGER lead_last_name_check AFTER INSERT OR UPDATE OF last_name ON followup.lead FOR EACH ROW
WHEN (NEW.last_name ~ '[[:cntrl:]]') EXECUTE FUNCTION followup.refuse_row();
DROP TRIGGER IF EXISTS lead_company_check ON followup.lead;
CREATE TRIGGER lead_company_check AFTER INSERT OR UPDATE OF company ON followup.lead FOR EACH ROW
WHEN (NEW.company ~ '[[:cntrl:]]') EXECUTE FUNCTION followup.refuse_row();
DROP TRIGGER IF EXISTS lead_fields_check ON followup.lead;
CREATE TRIGGER lead_fields_check AFTER INSERT OR UPDATE OF fields ON followup.lead FOR EACH ROW
WHEN (pg_catalog.jsonb_typeof(NEW.fields) <> 'object') EXECUTE FUNCTION followup.refuse_row();
