CREATE OR REPLACE FUNCTION followup.lock_inbox_items(p_items followup.inbox_item[]) RETURNS integer[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_free          bigint[];   -- accounts
    v_accounts      bigint[];   -- pairs: leads, then conversations, then messages that are locked
    v_leads         bigint[];
    v_c_accounts    bigint[];
    v_conversations bigint[];
    v_m_accounts    bigint[];
    v_messages      bigint[];
BEGIN
    v_free := ARRAY(SELECT a.id FROM followup.account AS a
                     WHERE a.id IN (SELECT i.account_id FROM unnest(p_items) AS i) FOR SHARE SKIP LOCKED);
    SELECT array_agg(k.account_id), array_agg(k.id) INTO v_accounts, v_leads
      FROM (SELECT l.account_id, l.id
              FROM (SELECT DISTINCT i.account_id, i.lead_id FROM unnest(p_items) AS i WHERE i.account_id = ANY (v_free)) AS u
              JOIN followup.lead AS l ON l.account_id = u.account_id AND l.id = u.lead_id
               FOR NO KEY UPDATE OF l SKIP LOCKED) AS k;
    SELECT array_agg(k.account_id), array_agg(k.id) INTO v_c_accounts, v_conversations
      FROM (SELECT c.account_id, c.id
              FROM unnest(v_accounts, v_leads) AS u (account_id, lead_id)
              JOIN followup.conversation AS c ON c.account_id = u.account_id AND c.lead_id = u.lead_id
               FOR NO KEY UPDATE OF c SKIP LOCKED) AS k;
    -- What an event may write: its message, and what is pending in the lead's conversations.
    SELECT array_agg(k.account_id), array_agg(k.id) INTO v_m_accounts, v_messages
      FROM (SELECT m.account_id, m.id
              FROM (SELECT i.account_id, i.message_id FROM unnest(p_items) AS i WHERE i.account_id = ANY (v_free)
                    UNION
                    SELECT p.account_id, p.id
                      FROM unnest(v_c_accounts, v_conversations) AS u (account_id, id)
                      JOIN followup.message AS p ON p.account_id = u.account_id AND p.conversation_id = u.id AND p.pending) AS u
              JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.message_id
               FOR NO KEY UPDATE OF m SKIP LOCKED) AS k;
    v_free := followup.obtain_caps(v_free);

    -- Judged by what is there now: a conversation or a message that came meanwhile belongs to a lead that was not ours.
    RETURN ARRAY(
        SELECT i.ordinality::integer
          FROM unnest(p_items) WITH ORDINALITY AS i
         WHERE i.account_id = ANY (v_free)
           AND (i.message_id IS NULL
                OR (i.account_id, i.message_id) IN (SELECT * FROM unnest(v_m_accounts, v_messages)))
           AND (i.lead_id IS NULL
                OR (i.account_id, i.lead_id) IN (SELECT * FROM unnest(v_accounts, v_leads))
                   AND NOT EXISTS (SELECT FROM followup.conversation AS c
                                     LEFT JOIN followup.message AS p
                                       ON p.account_id = c.account_id AND p.conversation_id = c.id AND p.pending
                                    WHERE c.account_id = i.account_id AND c.lead_id = i.lead_id
                                      AND ((c.account_id, c.id) NOT IN (SELECT * FROM unnest(v_c_accounts, v_conversations))
                                           OR p.id IS NOT NULL
                                              AND (p.account_id, p.id) NOT IN (SELECT * FROM unnest(v_m_accounts, v_messages)))))
         ORDER BY 1);
END
$$;
COMMENT ON FUNCTION followup.lock_inbox_items(followup.inbox_item[]) IS
    'Internal: locks all that applying these events may write, in the order account (shared), lead, conversation, message, cap, and answers the places in p_items of those for which all is locked. Rows that somebody else has are skipped, so that a long transaction delays the events of its own leads, account or caps only; it waits for nobody but, 100 ms, for caps (obtain_caps).';
