DROP TRIGGER IF EXISTS account_notify_pause ON followup.account;
CREATE TRIGGER account_notify_pause AFTER UPDATE OF paused_at ON followup.account FOR EACH ROW
WHEN (OLD.paused_at IS DISTINCT FROM NEW.paused_at) EXECUTE FUNCTION followup.notify_pause('id');
-- An account whose suppression list is awaited waits as if it were paused.
DROP TRIGGER IF EXISTS list_pull_notify_begun ON followup.list_pull;
CREATE TRIGGER list_pull_notify_begun AFTER INSERT ON followup.list_pull FOR EACH ROW EXECUTE FUNCTION followup.notify_pause('account_id');
DROP TRIGGER IF EXISTS list_pull_notify ON followup.list_pull;
CREATE TRIGGER list_pull_notify AFTER UPDATE OF ended_at ON followup.list_pull FOR EACH ROW
WHEN ((OLD.ended_at IS NULL) <> (NEW.ended_at IS NULL)) EXECUTE FUNCTION followup.notify_pause('account_id');
DROP TRIGGER IF EXISTS assistant_notify_pause ON followup.assistant;
CREATE TRIGGER assistant_notify_pause AFTER UPDATE OF paused_at ON followup.assistant FOR EACH ROW
WHEN (OLD.paused_at IS DISTINCT FROM NEW.paused_at) EXECUTE FUNCTION followup.notify_pause('account_id');
DROP TRIGGER IF EXISTS sequence_notify_pause ON followup.sequence;
CREATE TRIGGER sequence_notify_pause AFTER UPDATE OF paused_at ON followup.sequence FOR EACH ROW
WHEN (OLD.paused_at IS DISTINCT FROM NEW.paused_at) EXECUTE FUNCTION followup.notify_pause('account_id');
