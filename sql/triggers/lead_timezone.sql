DROP TRIGGER IF EXISTS report_timezone ON followup.lead;
CREATE TRIGGER report_timezone AFTER INSERT OR UPDATE OF timezone ON followup.lead FOR EACH ROW
    WHEN (NEW.timezone IS NOT NULL AND NOT followup.known_timezone(NEW.timezone))
    EXECUTE FUNCTION followup.report_timezone();
