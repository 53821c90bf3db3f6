-- Legal changes never call a function: the pairs are in the WHEN.
DROP TRIGGER IF EXISTS message_state ON followup.message;
CREATE TRIGGER message_state AFTER UPDATE OF state, due_at ON followup.message FOR EACH ROW
WHEN (CASE OLD.state
      WHEN NEW.state THEN OLD.due_at <> NEW.due_at AND NEW.state <> 'scheduled'
      WHEN 'scheduled' THEN NEW.state NOT IN ('sending', 'cancelled', 'failed')
                            AND (OLD.attempts = 0 OR NEW.state NOT IN ('sent', 'delivered', 'bounced', 'complained'))
      WHEN 'sending' THEN NEW.state NOT IN ('sent', 'scheduled', 'in_doubt', 'failed', 'cancelled', 'delivered', 'bounced', 'complained')
      WHEN 'in_doubt' THEN NEW.state NOT IN ('sending', 'sent', 'delivered', 'bounced', 'complained', 'scheduled', 'failed', 'cancelled')
      WHEN 'sent' THEN NEW.state NOT IN ('delivered', 'bounced', 'complained', 'failed')
      WHEN 'delivered' THEN NEW.state NOT IN ('bounced', 'complained')
      WHEN 'bounced' THEN NEW.state <> 'complained'
      ELSE true END)
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
