-- Legal changes never call a function: which are legal stands in the WHEN, the states in their order. It is read anew by each
-- statement that writes a state, so each word of it costs.
DROP TRIGGER IF EXISTS message_state ON followup.message;
CREATE TRIGGER message_state AFTER UPDATE OF state, due_at ON followup.message FOR EACH ROW
WHEN (CASE OLD.state
      WHEN NEW.state THEN OLD.due_at <> NEW.due_at AND NEW.state <> 'scheduled'
      WHEN 'sending' THEN false     -- to every other, and so
      WHEN 'in_doubt' THEN false
      WHEN 'scheduled' THEN NEW.state = 'in_doubt' OR OLD.attempts = 0 AND NEW.state BETWEEN 'sent' AND 'complained'
      ELSE (NEW.state < OLD.state OR NEW.state > 'complained') AND NOT (OLD.state = 'sent' AND NEW.state = 'failed') END)
EXECUTE FUNCTION followup.refuse_message_change();

DROP TRIGGER IF EXISTS message_notify_insert ON followup.message;
CREATE TRIGGER message_notify_insert AFTER INSERT ON followup.message REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION followup.notify_message();
DROP TRIGGER IF EXISTS message_notify_update ON followup.message;
CREATE TRIGGER message_notify_update AFTER UPDATE ON followup.message REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION followup.notify_message();

DROP TRIGGER IF EXISTS attempt_of_message ON followup.message;
CREATE TRIGGER attempt_of_message AFTER DELETE ON followup.message REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION followup.message_deleted();
