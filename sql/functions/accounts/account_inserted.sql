CREATE OR REPLACE FUNCTION followup.account_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO followup.profile (account_id, name, builtin, permissions)
    SELECT NEW.id, b.name, true, b.permissions FROM followup.builtin_profiles() AS b
        ON CONFLICT (account_id, name) DO NOTHING;
    IF NEW.reply_rules_at IS NOT NULL THEN
        PERFORM followup.give_reply_rules(NEW.id);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.account_inserted() IS
    'Trigger on account: gives a new one the built-in profiles, and the reply rules that every account starts with (unless it was written with reply_rules_at NULL).';
