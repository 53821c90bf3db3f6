-- What the loader and the sweep read. Of a million rows none may cost a look-up elsewhere: who is paused is asked once a
-- query, and only messages of an account that has a paused assistant or sequence look at their conversation.
CREATE OR REPLACE VIEW followup.message_to_load WITH (security_invoker = true) AS
SELECT m.account_id, m.id, m.due_at, m.shard
  FROM followup.message AS m
 WHERE m.queued AND m.state = 'scheduled'
   AND (m.conversation_id IS NULL
        OR m.account_id NOT IN (SELECT a.id FROM followup.account AS a WHERE a.paused_at IS NOT NULL
                                UNION ALL
                                SELECT w.account_id FROM followup.list_pull AS w WHERE w.ended_at IS NULL)
           AND (m.account_id NOT IN (SELECT s.account_id FROM followup.assistant AS s WHERE s.paused_at IS NOT NULL
                                     UNION ALL
                                     SELECT q.account_id FROM followup.sequence AS q WHERE q.paused_at IS NOT NULL)
                OR NOT followup.conversation_paused(m.account_id, m.conversation_id)));
COMMENT ON VIEW followup.message_to_load IS
    'Scheduled messages that nobody paused. Always ask with shard IN (...) and due_at < a horizon: that is an index.';
