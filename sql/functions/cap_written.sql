CREATE OR REPLACE FUNCTION followup.cap_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_notify   text := coalesce(pg_catalog.current_setting('followup.notify', true), '');
    v_messages bigint[];
    v_message  bigint;
BEGIN
    PERFORM followup.require_read_committed();
    PERFORM FROM followup.account AS a WHERE a.id = NEW.account_id FOR NO KEY UPDATE;
    v_messages := followup.lock_scheduled(NEW.account_id, NULL, NEW.id);
    -- One NOTIFY for all of it, at the end.
    PERFORM pg_catalog.set_config('followup.notify', 'off', true);
    -- All give their places back and stand where they would without a cap; then they take places in that order.
    UPDATE followup.message AS m SET cap_assistant_id = NULL, due_at = coalesce(m.cap_moved_from, m.due_at)
     WHERE m.account_id = NEW.account_id AND m.id = ANY (v_messages) AND m.state = 'scheduled';
    IF followup.capped_assistant(NEW.account_id, NEW.id) IS NOT NULL THEN
        FOR v_message IN SELECT m.id FROM followup.message AS m
                          WHERE m.account_id = NEW.account_id AND m.id = ANY (v_messages) AND m.state = 'scheduled'
                          ORDER BY m.due_at, m.id LOOP
            UPDATE followup.message AS m SET cap_assistant_id = NEW.id, planned_reason = 'planned anew: the cap of the assistant changed'
             WHERE m.account_id = NEW.account_id AND m.id = v_message;
        END LOOP;
    END IF;
    PERFORM pg_catalog.set_config('followup.notify', v_notify, true);
    IF v_notify <> 'off' THEN
        PERFORM pg_catalog.pg_notify('followup', 'r ' || NEW.account_id);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.cap_written() IS
    'Trigger on daily_cap, ramp and ramp_from of an assistant: all that it is to send takes its place under the new cap, in the order in which it was planned.';
