CREATE OR REPLACE FUNCTION followup.account_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM followup.lead AS l WHERE l.account_id = OLD.id;
    DELETE FROM followup.message AS m WHERE m.account_id = OLD.id;      -- of no lead
    DELETE FROM followup.reply AS r WHERE r.account_id = OLD.id;
    DELETE FROM followup.webhook AS w WHERE w.account_id = OLD.id;
    DELETE FROM followup.webhook_token AS t WHERE t.account_id = OLD.id;
    RETURN OLD;
END
$$;
COMMENT ON FUNCTION followup.account_deleted() IS
    'Trigger, before an account is deleted: what no foreign key takes along, and the leads, whose conversations keep assistants and sequences from going first.';
