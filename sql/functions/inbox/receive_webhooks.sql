CREATE OR REPLACE FUNCTION followup.receive_webhooks(
    p_accounts bigint[], p_sources text[], p_events json[], p_tokens text[])
RETURNS TABLE (ord integer, verdict text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_mergejoin = off
SET jit = off
AS $$
BEGIN
    -- In the order of its key, so that two callers with the same tokens wait for each other and never in a ring.
    IF p_tokens IS NOT NULL AND array_remove(p_tokens, NULL) <> '{}' THEN
        INSERT INTO followup.webhook_token (account_id, source, token, digest)
        SELECT w.account, w.source, w.token, followup.webhook_digest(w.events)
          FROM unnest(p_accounts, p_sources, p_events, p_tokens) WITH ORDINALITY AS w (account, source, events, token, ord)
          JOIN followup.account AS a ON a.id = w.account
         WHERE w.token IS NOT NULL AND json_typeof(w.events) = 'array'
         ORDER BY 1, 2, 3, w.ord
            ON CONFLICT DO NOTHING;
    END IF;

    -- A statement of its own: it sees the tokens that the one before wrote, or waited for.
    RETURN QUERY
    WITH webhook AS MATERIALIZED (
        SELECT w.ord, w.account, w.source, w.events,
               CASE WHEN a.id IS NULL THEN 'no_account'
                    WHEN w.source IS NULL OR json_typeof(w.events) IS DISTINCT FROM 'array' THEN 'malformed'
                    WHEN w.token IS NOT NULL AND t.digest IS DISTINCT FROM followup.webhook_digest(w.events)
                        THEN 'token_reused'
                    ELSE 'stored' END AS verdict
          FROM unnest(p_accounts, p_sources, p_events, p_tokens) WITH ORDINALITY AS w (account, source, events, token, ord)
          LEFT JOIN followup.account AS a ON a.id = w.account
          LEFT JOIN followup.webhook_token AS t
            ON w.token IS NOT NULL AND t.account_id = w.account AND t.source = w.source AND t.token = w.token
    ), stored AS (
        INSERT INTO followup.webhook (account_id, source, events)
        SELECT w.account, w.source, w.events FROM webhook AS w WHERE w.verdict = 'stored' ORDER BY w.ord
    )
    SELECT w.ord::integer, w.verdict FROM webhook AS w ORDER BY w.ord;
END
$$;
COMMENT ON FUNCTION followup.receive_webhooks(bigint[], text[], json[], text[]) IS
    'Webhooks whose signatures were right: parallel arrays, at most 1000; p_sources: NAME of the [webhook.NAME]; p_events: each an array of typed events or replies (event_id and kind needed); p_tokens: a single-use token, or NULL. Stores each whole, reads nothing in it and applies nothing (apply_inbox does). Answers a row a webhook, in order. verdict stored; token_reused: its token came before with other events; no_account; malformed: no array, or no source. Of those three nothing is stored. Answer 2xx only after the commit.';
