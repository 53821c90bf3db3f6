CREATE OR REPLACE FUNCTION followup.reply_rule_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.pattern = '' THEN
        RAISE EXCEPTION 'reply_rule: an empty pattern would match every reply' USING ERRCODE = 'invalid_parameter_value';
    ELSIF NEW.kind = 'words' AND followup.words_pattern(NEW.pattern) IS NULL THEN
        RAISE EXCEPTION 'reply_rule: there is no word in the pattern %', quote_literal(NEW.pattern) USING ERRCODE = 'invalid_parameter_value';
    ELSIF NEW.kind = 'regex' THEN
        -- Without back references the server's automaton needs time in proportion to the text.
        IF NEW.pattern ~ '\\[1-9]' THEN
            RAISE EXCEPTION 'reply_rule: a regular expression may not refer back (\1)' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        BEGIN
            IF '' ~ NEW.pattern THEN
                RAISE EXCEPTION 'reply_rule: the regular expression % would match every reply', quote_literal(NEW.pattern)
                    USING ERRCODE = 'invalid_parameter_value';
            END IF;
        EXCEPTION WHEN invalid_regular_expression THEN
            RAISE EXCEPTION 'reply_rule: % is no regular expression: %', quote_literal(NEW.pattern), SQLERRM
                USING ERRCODE = 'invalid_parameter_value';
        END;
    END IF;
    PERFORM followup.read_outcome(NEW.outcome);
    NEW.needs := CASE NEW.kind WHEN 'words' THEN
        (SELECT array_agg('%' || replace(replace(w.word, '*', ''), '|', '%|%') || '%')
           FROM pg_catalog.regexp_split_to_table(followup.plain_text(NEW.pattern), '[^a-z0-9*|]+') AS w (word) WHERE w.word ~ '[a-z0-9]') END;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION followup.reply_rule_written() IS
    'Trigger on reply_rule: refuses (22023) an outcome that no reply can have, an empty pattern, words without a word, and a regular expression that does not compile, refers back or matches everything, when the rule is written; found later, it would refuse the reply. Keeps needs.';
