DROP TRIGGER IF EXISTS builtin_locked ON followup.crm_rule;
CREATE TRIGGER builtin_locked BEFORE INSERT OR UPDATE OR DELETE ON followup.crm_rule
    FOR EACH ROW EXECUTE FUNCTION followup.crm_rule_written();
