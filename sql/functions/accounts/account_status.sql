CREATE OR REPLACE FUNCTION followup.account_status(p_account bigint = NULL)
RETURNS TABLE (account text, paused boolean, leads bigint, active bigint, overdue bigint, due_minute bigint,
               due_hour bigint, due_day bigint, in_flight bigint, in_doubt bigint, sent_hour bigint, failed_day bigint,
               next_due_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now timestamptz := followup.now();
BEGIN
    RETURN QUERY
    SELECT a.name, a.paused_at IS NOT NULL, coalesce(l.leads, 0), coalesce(l.active, 0), coalesce(q.overdue, 0),
           coalesce(q.due_minute, 0), coalesce(q.due_hour, 0), coalesce(q.due_day, 0), coalesce(q.in_flight, 0),
           coalesce(d.in_doubt, 0), coalesce(s.sent_hour, 0), coalesce(s.failed_day, 0), q.next_due_at
      FROM followup.account AS a
      LEFT JOIN (SELECT w.account_id, count(*) AS leads, count(*) FILTER (WHERE w.state = 'active') AS active
                   FROM followup.lead AS w WHERE p_account IS NULL OR w.account_id = p_account
                  GROUP BY 1) AS l ON l.account_id = a.id
      LEFT JOIN (SELECT m.account_id, count(*) FILTER (WHERE m.state = 'sending') AS in_flight,
                        count(*) FILTER (WHERE m.state = 'scheduled' AND m.due_at < v_now) AS overdue,
                        count(*) FILTER (WHERE m.state = 'scheduled' AND m.due_at < v_now + interval '1 minute') AS due_minute,
                        count(*) FILTER (WHERE m.state = 'scheduled' AND m.due_at < v_now + interval '1 hour') AS due_hour,
                        count(*) FILTER (WHERE m.state = 'scheduled' AND m.due_at < v_now + interval '1 day') AS due_day,
                        min(m.due_at) FILTER (WHERE m.state = 'scheduled') AS next_due_at
                   FROM followup.message AS m
                  WHERE m.queued AND (p_account IS NULL OR m.account_id = p_account
                                      AND m.shard = followup.shard_of(p_account)) GROUP BY 1) AS q ON q.account_id = a.id
      LEFT JOIN (SELECT m.account_id, count(*) AS in_doubt
                   FROM followup.message AS m
                  WHERE m.pending AND NOT m.queued AND (p_account IS NULL OR m.account_id = p_account
                                                        AND m.shard = followup.shard_of(p_account))
                  GROUP BY 1) AS d ON d.account_id = a.id
      LEFT JOIN (SELECT m.account_id, count(*) FILTER (WHERE m.sent_at >= v_now - interval '1 hour') AS sent_hour,
                        count(*) FILTER (WHERE m.state = 'failed' AND m.finished_at >= v_now - interval '1 day') AS failed_day
                   FROM followup.message AS m
                  WHERE NOT m.pending AND (p_account IS NULL OR m.account_id = p_account) GROUP BY 1) AS s ON s.account_id = a.id
     WHERE p_account IS NULL OR a.id = p_account
     ORDER BY a.name;
END
$$;
COMMENT ON FUNCTION followup.account_status(bigint) IS
    'What an account (NULL: each) has to send: due within the next minute, hour and day (what is overdue counts in each), in flight, in doubt, sent in the last hour, failed in the last day; business time. Reads the account''s messages: for people, not for polling.';
