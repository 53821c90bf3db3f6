CREATE OR REPLACE FUNCTION followup.invariants(p_full boolean = false)
RETURNS TABLE (invariant text, broken bigint, examples text[], meaning text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
    SELECT i.invariant, coalesce(f.broken, 0), f.examples, i.meaning
      FROM (VALUES
          (1, false, 'begun_after_stop', 'a message was claimed after its conversation had been stopped'),
          (2, false, 'sent_twice', 'a message was accepted under two idempotency keys'),
          (3, false, 'sent_early', 'a message left before it was due'),
          (4, false, 'sent_unproved', 'a message counts as sent and nothing says why'),
          (5, false, 'nothing_scheduled', 'an active conversation that is not held has no message to come'),
          (6, false, 'pending_after_end', 'a message is still to be sent in a conversation that has ended'),
          (7, false, 'overdue', 'a message has been due for 15 minutes, its shard has a worker, and it was not claimed'),
          (8, false, 'never_due', 'a scheduled message has no due time, and neither a hold, nor its lateness, nor its calendar is why'),
          (9, false, 'abandoned', 'a message has been sending for 2 minutes, its shard has a worker, and nothing became of it'),
          (10, false, 'of_another_lead', 'a message names another lead than its conversation'),
          (11, false, 'lead_not_active', 'a conversation is active and its lead is not'),
          (12, true, 'active_without_conversation', 'a lead is active and has no active conversation'),
          (13, true, 'cap_places', 'the places used under a daily cap are not those that messages hold')
      ) AS i(no, is_full, invariant, meaning)
      LEFT JOIN (SELECT b.invariant, count(*) AS broken, (pg_catalog.array_agg(b.what ORDER BY b.what))[1:5] AS examples
                   FROM (SELECT n.* FROM followup.wrong_now() AS n WHERE NOT p_full
                         UNION ALL
                         SELECT e.* FROM followup.wrong_ever() AS e WHERE p_full) AS b
                  GROUP BY 1) AS f ON f.invariant = i.invariant
     WHERE p_full OR NOT i.is_full
     ORDER BY i.no
$$;
COMMENT ON FUNCTION followup.invariants(boolean) IS
    'What must be true at every moment, whatever crashed: a row an invariant, with how often it is broken (0: it holds) and five examples. By default of what is pending and what was tried within the last hour (real time); full: of everything stored, which reads every table. Changes nothing. overdue may also mean that a provider has been refusing for so long.';
