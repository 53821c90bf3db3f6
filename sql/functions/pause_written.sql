CREATE OR REPLACE FUNCTION followup.pause_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_account   bigint := coalesce(pg_catalog.to_jsonb(NEW) ->> 'account_id', NEW.id::text)::bigint;
BEGIN
    -- The row that every claim shares: a claim that began before us is over, one that comes after sees the pause.
    PERFORM FROM followup.account AS a WHERE a.id = v_account FOR NO KEY UPDATE;
    IF NEW.paused_at IS NULL THEN
        PERFORM followup.require_read_committed();
        PERFORM followup.spread_overdue(v_account, CASE TG_TABLE_NAME WHEN 'assistant' THEN NEW.id END,
                                        CASE TG_TABLE_NAME WHEN 'sequence' THEN NEW.id END);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.pause_written() IS
    'Trigger on paused_at of account, assistant and sequence, so that a direct write is as safe as pause() and resume(): it takes the account''s lock, and at the end of a pause spreads what became due.';
