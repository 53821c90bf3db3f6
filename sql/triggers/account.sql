DROP TRIGGER IF EXISTS builtin_profiles ON followup.account;
CREATE TRIGGER builtin_profiles AFTER INSERT ON followup.account
    FOR EACH ROW EXECUTE FUNCTION followup.account_inserted();
