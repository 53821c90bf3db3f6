CREATE OR REPLACE FUNCTION followup.events_may_be_missing(p_account bigint = NULL)
RETURNS TABLE (account_id bigint, provider_type text, kinds text, from_at timestamptz, until_at timestamptz, retries_for interval)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
    v_real timestamptz := clock_timestamp();
BEGIN
    IF NOT EXISTS (SELECT FROM followup.inbox_gap AS g WHERE g.until_at > v_real - '7 days'::interval) THEN
        RETURN;
    END IF;
    RETURN QUERY
    -- The webhooks that an account has, by look-ups in the key of the inbox: each source's first event says its provider.
    WITH RECURSIVE source AS (
        SELECT a.id AS account_id,
               (SELECT min(e.provider) FROM followup.provider_event AS e WHERE e.account_id = a.id) AS provider
          FROM followup.account AS a
         WHERE p_account IS NULL OR a.id = p_account
        UNION ALL
        SELECT s.account_id,
               (SELECT min(e.provider) FROM followup.provider_event AS e WHERE e.account_id = s.account_id AND e.provider > s.provider)
          FROM source AS s
         WHERE s.provider IS NOT NULL
    ), typed AS (
        SELECT DISTINCT s.account_id, lower(f.payload ->> 'provider_type') AS provider_type
          FROM source AS s
         CROSS JOIN LATERAL (SELECT e.payload FROM followup.provider_event AS e
                              WHERE e.account_id = s.account_id AND e.provider = s.provider
                              ORDER BY e.event_id LIMIT 1) AS f
    )
    SELECT t.account_id, t.provider_type,
           CASE WHEN r.kinds = 'all' AND EXISTS (SELECT FROM followup.list_pull AS p
                          WHERE p.account_id = t.account_id AND p.provider_type = t.provider_type AND p.known_until >= g.until_at) THEN 'rest' ELSE r.kinds END,
           g.from_at, g.until_at, r.retries_for
      FROM typed AS t
      JOIN followup.webhook_retry AS r ON r.provider_type = t.provider_type
      JOIN followup.inbox_gap AS g ON g.until_at - g.from_at > r.retries_for AND g.until_at > v_real - '7 days'::interval
     WHERE r.kinds = 'all'
        OR NOT EXISTS (SELECT FROM followup.webhook_retry AS w       -- all says it already
                        WHERE w.provider_type = r.provider_type AND w.kinds = 'all' AND g.until_at - g.from_at > w.retries_for)
     ORDER BY t.account_id, g.from_at, t.provider_type, r.kinds;
END
$$;
COMMENT ON FUNCTION followup.events_may_be_missing(bigint) IS
    'Which events of the last 7 days (real time) a provider may have given up telling us, of an account (NULL: of each): a row for each time in which no daemon received webhooks (inbox_gap) that was longer than the provider of one of the account''s webhooks repeats them (webhook_retry). kinds: all, or the one kind; rest: all but whom it bounced, who complained or unsubscribed, for its suppression list was pulled (list_pull). A message about which nothing was told then is not proved to be undelivered. No row: nothing is missing.';
