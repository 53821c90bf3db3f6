CREATE OR REPLACE FUNCTION followup.lock_scheduled(
    p_account bigint, p_leads bigint[] = NULL, p_assistant bigint = NULL, p_country text = NULL) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM followup.require_read_committed();
    IF p_leads IS NOT NULL THEN
        PERFORM FROM followup.conversation AS c
          WHERE c.account_id = p_account AND c.lead_id = ANY (p_leads) AND c.state = 'active'
          ORDER BY c.id FOR NO KEY UPDATE;
        RETURN ARRAY(
            SELECT m.id
              FROM followup.conversation AS c
              JOIN followup.message AS m ON m.account_id = c.account_id AND m.conversation_id = c.id
             WHERE c.account_id = p_account AND c.lead_id = ANY (p_leads) AND c.state = 'active'
               AND m.state = 'scheduled' AND NOT m.detached);
    END IF;
    PERFORM FROM followup.conversation AS c
      WHERE c.account_id = p_account AND c.state = 'active'
        AND (p_assistant IS NULL OR c.assistant_id = p_assistant)
        AND (p_country IS NULL OR EXISTS (SELECT FROM followup.lead AS l
                                           WHERE l.account_id = p_account AND l.id = c.lead_id
                                             AND lower(l.country) = lower(p_country)))
      ORDER BY c.id FOR NO KEY UPDATE;
    RETURN ARRAY(
        SELECT m.id
          FROM followup.message AS m
          JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
          JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
         WHERE m.account_id = p_account AND m.shard = followup.shard_of(p_account) AND m.queued AND m.state = 'scheduled'
           AND c.state = 'active'
           AND (p_assistant IS NULL OR c.assistant_id = p_assistant)
           AND (p_country IS NULL OR lower(l.country) = lower(p_country)));
END
$$;
COMMENT ON FUNCTION followup.lock_scheduled(bigint, bigint[], bigint, text) IS
    'Locks the active conversations of an account (or of these leads, or of an assistant, or of a country) in order of id, then answers their scheduled messages. The caller holds the account, or the leads.';
