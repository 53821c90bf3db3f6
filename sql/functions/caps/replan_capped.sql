CREATE OR REPLACE FUNCTION followup.replan_capped(p_account bigint, p_assistant bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_notify   text := coalesce(pg_catalog.current_setting('followup.notify', true), '');
    v_now      timestamptz := followup.now();
    v_messages bigint[] := ARRAY(
        SELECT m.id
          FROM followup.conversation AS c
          JOIN followup.message AS m ON m.account_id = c.account_id AND m.conversation_id = c.id
         WHERE c.account_id = p_account AND c.assistant_id = p_assistant AND c.state = 'active'
           AND m.pending AND NOT m.detached AND m.state = 'scheduled'
         ORDER BY coalesce(m.cap_moved_from, m.due_at), m.id);
    v_message  bigint;
BEGIN
    -- One NOTIFY for all of it, at the end.
    PERFORM pg_catalog.set_config('followup.notify', 'off', true);
    -- All give their places back and stand where they would without a cap, or where that has passed, as soon as they may leave.
    UPDATE followup.message AS m
       SET cap_assistant_id = NULL,
           due_at = CASE WHEN m.cap_moved_from < least(m.due_at, v_now)
                         THEN (SELECT followup.sendable_at(p_account, followup.lead_timezone(l.timezone, a.timezone), l.country, least(m.due_at, v_now))
                                 FROM followup.account AS a
                                 JOIN followup.lead AS l ON l.account_id = a.id AND l.id = m.lead_id
                                WHERE a.id = p_account)
                         ELSE coalesce(m.cap_moved_from, m.due_at) END
     WHERE m.account_id = p_account AND m.id = ANY (v_messages) AND m.state = 'scheduled';
    IF followup.capped_assistant(p_account, p_assistant) IS NOT NULL THEN
        FOREACH v_message IN ARRAY v_messages LOOP
            UPDATE followup.message AS m
               SET cap_assistant_id = p_assistant,
                   planned_reason = CASE WHEN m.due_at < 'infinity' THEN 'planned anew: the daily cap or its days changed' ELSE m.planned_reason END
             WHERE m.account_id = p_account AND m.id = v_message AND m.state = 'scheduled';
        END LOOP;
    END IF;
    PERFORM pg_catalog.set_config('followup.notify', v_notify, true);
    IF v_notify <> 'off' THEN
        PERFORM pg_catalog.pg_notify('followup', 'r ' || p_account);
    END IF;
END
$$;
COMMENT ON FUNCTION followup.replan_capped(bigint, bigint) IS
    'The cap of an assistant changed, or what a day is: all that it is to send takes its place under the new one, in the order in which it was planned; never in the past, unless it was due there. The caller holds the account, the assistant''s scheduled messages (lock_scheduled) and lock_caps.';
