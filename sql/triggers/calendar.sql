-- account.has_calendar, and what is planned by windows and holidays. A change of account_id would need both sides; nobody moves a
-- window to another account.
DROP TRIGGER IF EXISTS calendar_insert ON followup.send_window;
CREATE TRIGGER calendar_insert AFTER INSERT ON followup.send_window REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_written();
DROP TRIGGER IF EXISTS calendar_update ON followup.send_window;
CREATE TRIGGER calendar_update AFTER UPDATE ON followup.send_window REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_written();
DROP TRIGGER IF EXISTS calendar_delete ON followup.send_window;
CREATE TRIGGER calendar_delete AFTER DELETE ON followup.send_window REFERENCING OLD TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_written();
DROP TRIGGER IF EXISTS calendar_insert ON followup.holiday;
CREATE TRIGGER calendar_insert AFTER INSERT ON followup.holiday REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_written();
DROP TRIGGER IF EXISTS calendar_update ON followup.holiday;
CREATE TRIGGER calendar_update AFTER UPDATE ON followup.holiday REFERENCING OLD TABLE AS was NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_written();
DROP TRIGGER IF EXISTS calendar_delete ON followup.holiday;
CREATE TRIGGER calendar_delete AFTER DELETE ON followup.holiday REFERENCING OLD TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_written();
