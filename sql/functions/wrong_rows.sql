CREATE OR REPLACE FUNCTION followup.wrong_rows(p_full boolean)
RETURNS TABLE (invariant text, what text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- A value: the index of ended_at is of no use for what changes while it is compared.
    v_since timestamptz := pg_catalog.clock_timestamp() - '1 hour'::interval;
BEGIN
    IF p_full THEN
        RETURN QUERY
        SELECT b.invariant, 'message ' || b.id || ' of account ' || b.account_id FROM followup.wrong_message AS b
        UNION ALL
        SELECT 'active_without_conversation', 'lead ' || l.id || ' of account ' || l.account_id
          FROM followup.lead AS l
         WHERE l.state = 'active'
           AND NOT EXISTS (SELECT FROM followup.conversation AS c
                            WHERE c.account_id = l.account_id AND c.lead_id = l.id AND c.state = 'active')
        UNION ALL
        SELECT 'cap_places', 'assistant ' || b.assistant_id || ' of account ' || b.account_id || ' on ' || b.day
          FROM followup.wrong_cap AS b;
    ELSE
        RETURN QUERY
        SELECT b.invariant, 'message ' || b.id || ' of account ' || b.account_id
          FROM (SELECT x.* FROM followup.wrong_message AS x WHERE x.queued
                UNION ALL
                SELECT x.* FROM followup.wrong_message AS x WHERE x.pending AND NOT x.queued
                UNION ALL
                SELECT x.*
                  FROM (SELECT DISTINCT t.account_id, t.message_id FROM followup.attempt AS t
                         WHERE t.ended_at > v_since) AS r
                  JOIN followup.wrong_message AS x ON x.account_id = r.account_id AND x.id = r.message_id
                 WHERE NOT x.pending) AS b;
    END IF;
    RETURN QUERY
    SELECT b.invariant, 'conversation ' || b.id || ' of account ' || b.account_id
      FROM followup.wrong_conversation AS b WHERE b.state = 'active';
END
$$;
COMMENT ON FUNCTION followup.wrong_rows(boolean) IS
    'Internal, for invariants(): what breaks which invariant; p_full as there.';
