CREATE OR REPLACE FUNCTION followup.live_messages(p_account bigint, p_conversations bigint[])
RETURNS TABLE (conversation_id bigint, message_id bigint)
LANGUAGE sql STABLE AS $$
    -- LIMIT: a look-up for each, however few messages are said to be pending. (A conversation has one at most.)
    SELECT c.id, m.id
      FROM unnest(p_conversations) AS c (id)
     CROSS JOIN LATERAL (SELECT n.id FROM followup.message AS n
                          WHERE n.account_id = p_account AND n.conversation_id = c.id AND n.pending AND NOT n.detached LIMIT 1) AS m
$$;
COMMENT ON FUNCTION followup.live_messages(bigint, bigint[]) IS
    'The live message of each of these conversations that has one: scheduled, being sent or in doubt, and not detached. Inlined where it is called.';
