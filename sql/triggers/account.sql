DROP TRIGGER IF EXISTS builtin_profiles ON followup.account;
CREATE TRIGGER builtin_profiles AFTER INSERT ON followup.account
    FOR EACH ROW EXECUTE FUNCTION followup.account_inserted();
DROP TRIGGER IF EXISTS resumed ON followup.account;
CREATE TRIGGER resumed BEFORE UPDATE OF paused_at ON followup.account FOR EACH ROW
WHEN (OLD.paused_at IS NOT NULL AND NEW.paused_at IS NULL) EXECUTE FUNCTION followup.account_resumed();
DROP TRIGGER IF EXISTS leads_go_first ON followup.account;
CREATE TRIGGER leads_go_first BEFORE DELETE ON followup.account FOR EACH ROW EXECUTE FUNCTION followup.account_deleted();
