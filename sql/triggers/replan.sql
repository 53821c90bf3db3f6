-- Writes that plan again what is scheduled, whoever makes them. See calendar.sql for windows and holidays, lead.sql for leads.
DROP TRIGGER IF EXISTS written ON followup.account;
CREATE TRIGGER written AFTER UPDATE ON followup.account REFERENCING OLD TABLE AS was NEW TABLE AS now_is
    FOR EACH STATEMENT EXECUTE FUNCTION followup.account_written();
DROP TRIGGER IF EXISTS written ON followup.assistant;
CREATE TRIGGER written AFTER UPDATE ON followup.assistant REFERENCING OLD TABLE AS was NEW TABLE AS now_is
    FOR EACH STATEMENT EXECUTE FUNCTION followup.assistant_written();
DROP TRIGGER IF EXISTS written ON followup.sequence;
CREATE TRIGGER written AFTER UPDATE ON followup.sequence REFERENCING OLD TABLE AS was NEW TABLE AS now_is
    FOR EACH STATEMENT EXECUTE FUNCTION followup.sequence_written();

-- By hand: the functions run as the owner and plan themselves.
DROP TRIGGER IF EXISTS due_by_hand ON followup.message;
CREATE TRIGGER due_by_hand BEFORE UPDATE OF due_at ON followup.message FOR EACH ROW
WHEN (current_user <> 'followup_owner' AND OLD.due_at <> NEW.due_at AND NEW.state = 'scheduled'
      AND NEW.conversation_id IS NOT NULL)
EXECUTE FUNCTION followup.message_due_written();
