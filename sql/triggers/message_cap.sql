-- Places under a daily cap. For a message without one none of these calls a function.
DROP TRIGGER IF EXISTS message_cap_insert ON followup.message;
CREATE TRIGGER message_cap_insert BEFORE INSERT ON followup.message FOR EACH ROW
WHEN (NEW.cap_assistant_id IS NOT NULL AND NEW.state = 'scheduled')
EXECUTE FUNCTION followup.take_cap_place();
DROP TRIGGER IF EXISTS message_cap_update ON followup.message;
CREATE TRIGGER message_cap_update BEFORE UPDATE OF due_at, cap_assistant_id ON followup.message FOR EACH ROW
WHEN ((NEW.cap_assistant_id IS NOT NULL OR OLD.cap_assistant_id IS NOT NULL) AND NEW.state = 'scheduled'
      AND (NEW.due_at <> OLD.due_at OR NEW.cap_assistant_id IS DISTINCT FROM OLD.cap_assistant_id))
EXECUTE FUNCTION followup.take_cap_place();
-- After: its statement has locked all its messages by then, and messages come before caps in the order of locks.
DROP TRIGGER IF EXISTS message_cap_back ON followup.message;
CREATE TRIGGER message_cap_back AFTER UPDATE OF state ON followup.message FOR EACH ROW
WHEN (OLD.cap_day IS NOT NULL AND OLD.state IN ('scheduled', 'sending') AND NEW.state IN ('cancelled', 'failed'))
EXECUTE FUNCTION followup.give_cap_place_back();
DROP TRIGGER IF EXISTS caps_begin ON followup.assistant;
CREATE TRIGGER caps_begin AFTER INSERT ON followup.assistant FOR EACH ROW
WHEN (NEW.daily_cap IS NOT NULL OR NEW.ramp IS NOT NULL)
EXECUTE FUNCTION followup.assistant_inserted();
