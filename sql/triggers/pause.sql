DROP TRIGGER IF EXISTS account_notify_pause ON followup.account;
CREATE TRIGGER account_notify_pause AFTER UPDATE OF paused_at, list_awaited_at ON followup.account FOR EACH ROW
WHEN ((OLD.paused_at, OLD.list_awaited_at) IS DISTINCT FROM (NEW.paused_at, NEW.list_awaited_at)) EXECUTE FUNCTION followup.notify_pause('id');
DROP TRIGGER IF EXISTS assistant_notify_pause ON followup.assistant;
CREATE TRIGGER assistant_notify_pause AFTER UPDATE OF paused_at ON followup.assistant FOR EACH ROW
WHEN (OLD.paused_at IS DISTINCT FROM NEW.paused_at) EXECUTE FUNCTION followup.notify_pause('account_id');
DROP TRIGGER IF EXISTS sequence_notify_pause ON followup.sequence;
CREATE TRIGGER sequence_notify_pause AFTER UPDATE OF paused_at ON followup.sequence FOR EACH ROW
WHEN (OLD.paused_at IS DISTINCT FROM NEW.paused_at) EXECUTE FUNCTION followup.notify_pause('account_id');
