CREATE OR REPLACE FUNCTION followup.replan_capped(p_account bigint, p_assistant bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_notify   text := coalesce(pg_catalog.current_setting('followup.notify', true), '');
    v_messages bigint[] := ARRAY(
        SELECT m.id
          FROM followup.conversation AS c
          JOIN followup.message AS m ON m.account_id = c.account_id AND m.conversation_id = c.id
         WHERE c.account_id = p_account AND c.assistant_id = p_assistant AND c.state = 'active'
           AND m.pending AND NOT m.detached AND m.state = 'scheduled');
    v_message  bigint;
BEGIN
    -- One NOTIFY for all of it, at the end.
    PERFORM pg_catalog.set_config('followup.notify', 'off', true);
    -- All give their places back and stand where they would without a cap; then they take places in that order.
    UPDATE followup.message AS m SET cap_assistant_id = NULL, due_at = coalesce(m.cap_moved_from, m.due_at)
     WHERE m.account_id = p_account AND m.id = ANY (v_messages) AND m.state = 'scheduled';
    IF followup.capped_assistant(p_account, p_assistant) IS NOT NULL THEN
        FOR v_message IN SELECT m.id FROM followup.message AS m
                          WHERE m.account_id = p_account AND m.id = ANY (v_messages) AND m.state = 'scheduled'
                          ORDER BY m.due_at, m.id LOOP
            UPDATE followup.message AS m SET cap_assistant_id = p_assistant, planned_reason = 'planned anew: the cap of the assistant changed'
             WHERE m.account_id = p_account AND m.id = v_message;
        END LOOP;
    END IF;
    PERFORM pg_catalog.set_config('followup.notify', v_notify, true);
    IF v_notify <> 'off' THEN
        PERFORM pg_catalog.pg_notify('followup', 'r ' || p_account);
    END IF;
END
$$;
COMMENT ON FUNCTION followup.replan_capped(bigint, bigint) IS
    'The cap of an assistant changed: all that it is to send takes its place under the new one, in the order in which it was planned. The caller holds the account, the assistant''s scheduled messages (lock_scheduled) and lock_caps.';
