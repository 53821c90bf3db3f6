CREATE OR REPLACE FUNCTION followup.notify_pause() RETURNS trigger
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF pg_catalog.current_setting('followup.notify', true) IS DISTINCT FROM 'off' THEN
        PERFORM pg_catalog.pg_notify('followup', 'r ' || (pg_catalog.to_jsonb(NEW) ->> TG_ARGV[0]));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.notify_pause() IS
    'Trigger on paused_at of account, assistant and sequence, and on the pulls of suppression lists: "r <account>" on channel followup, unless followup.notify = off. Its argument names the column that holds the account.';
