CREATE OR REPLACE FUNCTION followup.lock_scheduled(
    p_account bigint, p_leads bigint[] = NULL, p_assistants bigint[] = NULL, p_sequences bigint[] = NULL,
    p_countries text[] = NULL, p_due_until timestamptz = NULL) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_conversations bigint[];
    v_messages      bigint[];
BEGIN
    PERFORM followup.require_read_committed();
    IF p_leads IS NOT NULL THEN
        v_conversations := ARRAY(
            SELECT c.id FROM followup.conversation AS c
             WHERE c.account_id = p_account AND c.lead_id = ANY (p_leads) AND c.state <> 'ended'      -- by its lead: as in end_conversations
             ORDER BY c.id FOR NO KEY UPDATE);
    ELSE
        v_conversations := ARRAY(
            SELECT c.id FROM followup.conversation AS c
             WHERE c.account_id = p_account AND c.state = 'active'
               AND (p_assistants IS NULL OR c.assistant_id = ANY (p_assistants))
               AND (p_sequences IS NULL OR c.sequence_id = ANY (p_sequences))
               AND (p_countries IS NULL OR EXISTS (SELECT FROM followup.lead AS l
                                                    WHERE l.account_id = p_account AND l.id = c.lead_id
                                                      AND lower(l.country) = ANY (p_countries)))
               AND (p_due_until IS NULL OR c.id IN (
                       SELECT m.conversation_id FROM followup.message AS m
                        WHERE m.account_id = p_account AND m.shard = followup.shard_of(p_account) AND m.queued
                          AND m.state = 'scheduled' AND m.due_at <= p_due_until))
             ORDER BY c.id FOR NO KEY UPDATE);
    END IF;
    -- The messages too: one that is written by hand is locked without its conversation, and is planned again as it is then.
    v_messages := ARRAY(SELECT n.message_id FROM followup.live_messages(p_account, v_conversations) AS n);
    PERFORM FROM followup.message AS m WHERE m.account_id = p_account AND m.id = ANY (v_messages) ORDER BY m.id FOR NO KEY UPDATE;
    RETURN ARRAY(
        SELECT m.id FROM followup.message AS m
         WHERE m.account_id = p_account AND m.id = ANY (v_messages) AND m.state = 'scheduled' AND NOT m.detached);
END
$$;
COMMENT ON FUNCTION followup.lock_scheduled(bigint, bigint[], bigint[], bigint[], text[], timestamptz) IS
    'Locks the active conversations of these leads, or of an account (of these assistants, sequences, or lower-case countries of the lead only; with something due by p_due_until only), then their live messages, each in order of id; answers the messages that are scheduled. The caller holds the account for itself, or the leads.';
