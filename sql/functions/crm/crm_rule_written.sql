CREATE OR REPLACE FUNCTION followup.crm_rule_written() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v_rule followup.crm_rule := CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END;
BEGIN
    IF (TG_OP <> 'INSERT' AND OLD.builtin OR TG_OP <> 'DELETE' AND NEW.builtin) AND current_user <> 'followup_owner' THEN
        RAISE EXCEPTION 'the CRM rule % % is built in', v_rule.source, v_rule.value
            USING ERRCODE = 'insufficient_privilege', HINT = 'Call followup.set_crm_rule for a rule of your own.';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NOT NEW.builtin AND NEW.action <> 'stop' AND EXISTS (
           SELECT FROM followup.crm_rule AS k
            WHERE k.builtin AND k.action = 'stop' AND lower(k.source) = lower(NEW.source) AND k.field = NEW.field
              AND lower(k.value) = lower(NEW.value)) THEN
        RAISE EXCEPTION 'the CRM rule % % is locked: it stops', NEW.source, NEW.value
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION followup.crm_rule_written() IS
    'Trigger on crm_rule: built-in rules are written by migrate alone, and no account''s rule takes the place of a built-in stop (42501).';
