DROP TRIGGER IF EXISTS reply_rule_written ON followup.reply_rule;
CREATE TRIGGER reply_rule_written BEFORE INSERT OR UPDATE OF pattern, kind, outcome ON followup.reply_rule
    FOR EACH ROW EXECUTE FUNCTION followup.reply_rule_written();
