-- Writes that plan again what is scheduled, whoever makes them.
DROP TRIGGER IF EXISTS replan_inserted ON followup.send_window;
CREATE TRIGGER replan_inserted AFTER INSERT ON followup.send_window REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_replanned();
DROP TRIGGER IF EXISTS replan_updated ON followup.send_window;
CREATE TRIGGER replan_updated AFTER UPDATE ON followup.send_window REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_replanned();
DROP TRIGGER IF EXISTS replan_deleted ON followup.send_window;
CREATE TRIGGER replan_deleted AFTER DELETE ON followup.send_window REFERENCING OLD TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_replanned();

DROP TRIGGER IF EXISTS replan_inserted ON followup.holiday;
CREATE TRIGGER replan_inserted AFTER INSERT ON followup.holiday REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_replanned();
-- The country it was of, and the one it is of: a statement each.
DROP TRIGGER IF EXISTS replan_updated ON followup.holiday;
CREATE TRIGGER replan_updated AFTER UPDATE ON followup.holiday REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_replanned();
DROP TRIGGER IF EXISTS replan_updated_from ON followup.holiday;
CREATE TRIGGER replan_updated_from AFTER UPDATE ON followup.holiday REFERENCING OLD TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_replanned();
DROP TRIGGER IF EXISTS replan_deleted ON followup.holiday;
CREATE TRIGGER replan_deleted AFTER DELETE ON followup.holiday REFERENCING OLD TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION followup.calendar_replanned();

DROP TRIGGER IF EXISTS replan ON followup.account;
CREATE TRIGGER replan AFTER UPDATE OF timezone ON followup.account FOR EACH ROW
WHEN (OLD.timezone <> NEW.timezone) EXECUTE FUNCTION followup.account_zone_written();

DROP TRIGGER IF EXISTS replan ON followup.assistant;
CREATE TRIGGER replan AFTER UPDATE OF daily_cap, ramp, ramp_from ON followup.assistant FOR EACH ROW
WHEN ((OLD.daily_cap, OLD.ramp, OLD.ramp_from) IS DISTINCT FROM (NEW.daily_cap, NEW.ramp, NEW.ramp_from))
EXECUTE FUNCTION followup.cap_written();

-- By hand: the functions run as the owner and plan themselves.
DROP TRIGGER IF EXISTS due_by_hand ON followup.message;
CREATE TRIGGER due_by_hand BEFORE UPDATE OF due_at ON followup.message FOR EACH ROW
WHEN (current_user <> 'followup_owner' AND OLD.due_at <> NEW.due_at AND NEW.state = 'scheduled'
      AND NEW.conversation_id IS NOT NULL AND NOT NEW.forced)
EXECUTE FUNCTION followup.message_due_written();
