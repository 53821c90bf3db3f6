CREATE OR REPLACE FUNCTION followup.account_alerts(p_account bigint = NULL)
RETURNS TABLE (account text, alert text, times bigint, last_at timestamptz, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_now timestamptz := followup.now();
BEGIN
    RETURN QUERY
    SELECT a.name, x.alert, x.times, x.last_at, x.detail
      FROM (SELECT p.id AS account_id, 1 AS no, 'paused' AS alert, 1::bigint AS times, p.paused_at AS last_at, p.paused_reason AS detail
              FROM followup.account AS p
             WHERE p.paused_reason IS NOT NULL
            UNION ALL
            SELECT b.account_id, 2, 'blocked', count(*), max(b.at), (array_agg(b.detail ORDER BY b.at DESC, b.message_id DESC))[1]
              FROM followup.bounce AS b
             WHERE b.alert AND b.at > v_now - '7 days'::interval AND (p_account IS NULL OR b.account_id = p_account)
             GROUP BY b.account_id
            UNION ALL
            SELECT e.account_id, 3, 'events failed', count(*), max(e.received_at), (array_agg(e.error ORDER BY e.received_at DESC))[1]
              FROM (SELECT v.account_id, v.received_at, v.error
                      FROM followup.provider_event AS v
                     WHERE v.applied_at IS NULL AND v.error <> followup.inbox_unmatched()
                    UNION ALL
                    SELECT w.account_id, w.received_at, w.error FROM followup.webhook AS w WHERE w.error IS NOT NULL) AS e
             WHERE p_account IS NULL OR e.account_id = p_account
             GROUP BY e.account_id
            UNION ALL
            SELECT m.account_id, 4, 'events may be missing', count(*), max(m.until_at),
                   (array_agg(format('%s: %s, of %s to %s; it repeats them for %s', m.provider_type,
                                     CASE m.kinds WHEN 'all' THEN 'whatever it told' WHEN 'rest' THEN 'deliveries, replies, opens and clicks' ELSE m.kinds END, date_trunc('second', m.from_at),
                                     date_trunc('second', m.until_at), m.retries_for) ORDER BY m.from_at DESC))[1]
              FROM followup.events_may_be_missing(p_account) AS m
             GROUP BY m.account_id
            UNION ALL
            SELECT r.account_id, 5, 'replies wait', count(*), max(r.received_at), (array_agg(r.alert || ' in reply ' || r.id ORDER BY r.received_at DESC, r.id DESC))[1]
              FROM followup.reply AS r
             WHERE r.settled_at IS NULL AND r.alert IS NOT NULL AND (p_account IS NULL OR r.account_id = p_account)
             GROUP BY r.account_id
            UNION ALL
            SELECT l.account_id, 6, CASE WHEN l.ended_at IS NULL THEN 'waits for a list' ELSE 'list not pulled' END, count(*), max(l.planned_at),
                   string_agg(concat_ws(': ', l.provider_type, l.error), ', ' ORDER BY l.provider_type)
              FROM followup.list_pull AS l
             WHERE (l.ended_at IS NULL OR l.error IS NOT NULL AND l.ended_at > clock_timestamp() - '7 days'::interval)
               AND (p_account IS NULL OR l.account_id = p_account)
             GROUP BY l.account_id, l.ended_at IS NULL
           ) AS x
      JOIN followup.account AS a ON a.id = x.account_id
     WHERE p_account IS NULL OR a.id = p_account
     ORDER BY a.name, x.no;
END
$$;
COMMENT ON FUNCTION followup.account_alerts(bigint) IS
    'What a person should see of an account (NULL: of each), the newest with its words: paused (by the engine, and why), blocked (messages of 7 days that came back or were refused through the sender''s or the content''s fault, or by the protocol), events failed (kept in the inbox with an error), events may be missing (events_may_be_missing), waits for a list (nothing is sent until a provider''s suppression list is pulled, or was waited for long enough), list not pulled (in the last 7 days, not or not whole, and why: list_pull), replies wait (anger or a legal threat in them; reply list has them, until somebody settles them). No row: nothing.';
