CREATE OR REPLACE FUNCTION followup.lock_messages(p_accounts bigint[], p_messages bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM followup.require_read_committed();
    -- Shared, as an action would: what follows (a complaint unsubscribes) may lock the lead's account, and must not do so last.
    PERFORM FROM followup.account AS a WHERE a.id = ANY (p_accounts) ORDER BY a.id FOR SHARE;
    -- The lead too: the last message of a conversation and a failed one change it.
    PERFORM FROM followup.lead AS l
      WHERE (l.account_id, l.id) IN (
            SELECT m.account_id, m.lead_id
              FROM unnest(p_accounts, p_messages) AS asked (account_id, id)
              JOIN followup.message AS m ON m.account_id = asked.account_id AND m.id = asked.id
             WHERE NOT m.detached)
      ORDER BY l.account_id, l.id FOR NO KEY UPDATE;
    PERFORM FROM followup.conversation AS c
      WHERE (c.account_id, c.id) IN (
            SELECT m.account_id, m.conversation_id
              FROM unnest(p_accounts, p_messages) AS asked (account_id, id)
              JOIN followup.message AS m ON m.account_id = asked.account_id AND m.id = asked.id)
      ORDER BY c.account_id, c.id FOR NO KEY UPDATE;
    PERFORM FROM followup.message AS m
      WHERE (m.account_id, m.id) IN (SELECT * FROM unnest(p_accounts, p_messages))
      ORDER BY m.account_id, m.id FOR NO KEY UPDATE;
END
$$;
COMMENT ON FUNCTION followup.lock_messages(bigint[], bigint[]) IS
    'Locks what after_message may write, in the order account (shared), lead, conversation, message: call it before taking messages out of pending, and read them in a later statement. Parallel arrays.';
