DROP TRIGGER IF EXISTS start_on_insert ON followup.lead;
CREATE TRIGGER start_on_insert AFTER INSERT ON followup.lead REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION followup.lead_inserted();

-- The functions run as the owner. A superuser who means it can SET ROLE followup_owner.
DROP TRIGGER IF EXISTS state_by_functions_only ON followup.lead;
CREATE TRIGGER state_by_functions_only BEFORE UPDATE OF state, sub_state, status ON followup.lead
    FOR EACH ROW WHEN (current_user <> 'followup_owner'
                       AND (OLD.state, OLD.sub_state, OLD.status) IS DISTINCT FROM (NEW.state, NEW.sub_state, NEW.status))
    EXECUTE FUNCTION followup.lead_state_written();
