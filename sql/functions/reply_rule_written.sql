CREATE OR REPLACE FUNCTION followup.reply_rule_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.pattern = '' THEN
        RAISE EXCEPTION 'reply_rule: an empty pattern would match every reply' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM followup.read_outcome(NEW.outcome);
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION followup.reply_rule_written() IS
    'Trigger on reply_rule: refuses (22023) an outcome that no reply can have and an empty pattern, when the rule is written; found later, it would refuse the reply.';
