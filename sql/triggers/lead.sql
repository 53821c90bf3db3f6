-- In the order of their names: a stop code keeps a lead from being started.
DROP TRIGGER IF EXISTS crm_on_insert ON followup.lead;
CREATE TRIGGER crm_on_insert AFTER INSERT ON followup.lead REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION followup.crm_inserted();
DROP TRIGGER IF EXISTS start_on_insert ON followup.lead;
CREATE TRIGGER start_on_insert AFTER INSERT ON followup.lead REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION followup.lead_inserted();

DROP TRIGGER IF EXISTS address_returns ON followup.lead;
CREATE TRIGGER address_returns AFTER INSERT ON followup.lead
    FOR EACH ROW EXECUTE FUNCTION followup.address_returned();
DROP TRIGGER IF EXISTS address_returns_by_update ON followup.lead;
CREATE TRIGGER address_returns_by_update AFTER UPDATE OF email ON followup.lead
    FOR EACH ROW WHEN (lower(OLD.email) <> lower(NEW.email)) EXECUTE FUNCTION followup.address_returned();

-- Our own functions write states by the thousand and need none of this; an import says that it writes values.
DROP TRIGGER IF EXISTS values_written ON followup.lead;
CREATE TRIGGER values_written AFTER UPDATE ON followup.lead REFERENCING OLD TABLE AS was NEW TABLE AS now_is
    FOR EACH STATEMENT
    WHEN (current_user <> 'followup_owner' OR pg_catalog.current_setting('followup.values', true) = 'on')
    EXECUTE FUNCTION followup.lead_written();

-- The functions run as the owner. A superuser who means it can SET ROLE followup_owner.
DROP TRIGGER IF EXISTS state_by_functions_only ON followup.lead;
CREATE TRIGGER state_by_functions_only BEFORE UPDATE OF state, sub_state, status ON followup.lead
    FOR EACH ROW WHEN (current_user <> 'followup_owner'
                       AND (OLD.state, OLD.sub_state, OLD.status) IS DISTINCT FROM (NEW.state, NEW.sub_state, NEW.status))
    EXECUTE FUNCTION followup.lead_state_written();
DROP TRIGGER IF EXISTS new_by_insert ON followup.lead;
CREATE TRIGGER new_by_insert BEFORE INSERT ON followup.lead
    FOR EACH ROW WHEN (current_user <> 'followup_owner'
                       AND (NEW.state <> 'new' OR NEW.status IS NOT NULL))
    EXECUTE FUNCTION followup.lead_state_inserted();
