CREATE OR REPLACE FUNCTION followup.receive_webhooks(
    p_accounts bigint[], p_sources text[], p_events jsonb[], p_tokens text[])
RETURNS TABLE (ord integer, verdict text, stored integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
    v_kinds text[] := enum_range(NULL::followup.event_kind)::text[];
BEGIN
    -- Both inserts in the order of their keys, so that two callers with the same events wait for each other and never in a ring.
    IF p_tokens IS NOT NULL AND array_remove(p_tokens, NULL) <> '{}' THEN
        INSERT INTO followup.webhook_token (account_id, source, token, digest)
        SELECT w.account, w.source, w.token, sha256(convert_to(w.events::text, 'UTF8'))
          FROM unnest(p_accounts, p_sources, p_events, p_tokens) WITH ORDINALITY AS w (account, source, events, token, ord)
          JOIN followup.account AS a ON a.id = w.account
         WHERE w.token IS NOT NULL
         ORDER BY 1, 2, 3, w.ord
            ON CONFLICT DO NOTHING;
    END IF;

    -- Without hash joins the events of a call would be matched each with each: quadratic, ten times the time at 1000 webhooks.
    -- A statement of its own: it sees the tokens that the one before wrote, or waited for.
    RETURN QUERY
    WITH webhook AS MATERIALIZED (
        SELECT w.ord, w.account, w.source, w.events,
               CASE WHEN a.id IS NULL THEN 'no_account'
                    WHEN w.source IS NULL OR jsonb_typeof(w.events) IS DISTINCT FROM 'array' THEN 'malformed'
                    WHEN w.token IS NOT NULL AND t.digest IS DISTINCT FROM sha256(convert_to(w.events::text, 'UTF8'))
                        THEN 'token_reused'
                    WHEN EXISTS (SELECT FROM jsonb_array_elements(w.events) AS e
                                  WHERE coalesce(e ->> 'event_id', '') = '' OR length(e ->> 'event_id') > 1000
                                     OR (e ->> 'kind' = ANY (v_kinds)) IS NOT TRUE) THEN 'malformed'
                    ELSE 'stored' END AS verdict
          FROM unnest(p_accounts, p_sources, p_events, p_tokens) WITH ORDINALITY AS w (account, source, events, token, ord)
          LEFT JOIN followup.account AS a ON a.id = w.account
          LEFT JOIN followup.webhook_token AS t
            ON w.token IS NOT NULL AND t.account_id = w.account AND t.source = w.source AND t.token = w.token
    ), event AS MATERIALIZED (      -- told twice in one call: of the first webhook
        SELECT DISTINCT ON (w.account, w.source, e ->> 'event_id')
               w.account, w.source, e ->> 'event_id' AS event_id, (e ->> 'kind')::followup.event_kind AS kind, e, w.ord
          FROM webhook AS w
         CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN w.verdict = 'stored' THEN w.events ELSE '[]' END) AS e
         ORDER BY w.account, w.source, e ->> 'event_id', w.ord
    ), written AS (
        INSERT INTO followup.provider_event AS p (account_id, provider, event_id, kind, payload, next_try_at)
        SELECT v.account, v.source, v.event_id, v.kind, v.e, clock_timestamp()
          FROM event AS v
         ORDER BY v.account, v.source, v.event_id
            ON CONFLICT DO NOTHING
        RETURNING p.account_id, p.provider, p.event_id
    ), fresh AS (
        SELECT v.ord, count(*) AS events
          FROM written AS r
          JOIN event AS v ON v.account = r.account_id AND v.source = r.provider AND v.event_id = r.event_id
         GROUP BY v.ord
    )
    SELECT w.ord::integer, w.verdict, coalesce(f.events, 0)::integer
      FROM webhook AS w
      LEFT JOIN fresh AS f ON f.ord = w.ord
     ORDER BY w.ord;
END
$$;
COMMENT ON FUNCTION followup.receive_webhooks(bigint[], text[], jsonb[], text[]) IS
    'Webhooks whose signatures were right: parallel arrays, at most 1000; p_sources: NAME of the [webhook.NAME]; p_events: each an array of typed events or replies (event_id and kind needed); p_tokens: a single-use token, or NULL. Stores the events, applies none (apply_inbox). Answers a row a webhook, in order. verdict stored: with stored, the number of events that were not known before; token_reused: its token came before with other events; no_account; malformed: no array, or an event without event_id, or of no known kind. Of those three nothing is stored. Answer 2xx only after the commit.';
