CREATE OR REPLACE FUNCTION followup.take_inbox_items(p_limit integer, OUT items followup.inbox_item[], OUT more boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now   timestamptz := pg_catalog.clock_timestamp();   -- not in the statement: what is volatile bounds no index scan
    v_taken followup.inbox_item[];
    v_reply integer;
BEGIN
    -- Keys first: a reply may be large, and is applied alone.
    v_taken := ARRAY(
        SELECT ROW(k.account_id, k.provider, k.event_id, k.kind, k.occurred_at, k.received_at, k.attempts, NULL, NULL, NULL)::followup.inbox_item
          FROM (SELECT e.* FROM followup.provider_event AS e
                 WHERE e.next_try_at <= v_now
                 ORDER BY e.next_try_at
                 LIMIT p_limit
                   FOR NO KEY UPDATE SKIP LOCKED) AS k
         ORDER BY k.next_try_at);
    v_reply := (SELECT min(t.ordinality) FROM unnest(v_taken) WITH ORDINALITY AS t WHERE t.kind = 'replied');
    more := pg_catalog.cardinality(v_taken) = p_limit OR v_reply IS NOT NULL;
    IF v_reply IS NOT NULL THEN
        v_taken := v_taken[1:greatest(v_reply - 1, 1)];
    END IF;
    -- LATERAL with a LIMIT is a look-up for each, whatever the table was when this was planned.
    items := ARRAY(
        SELECT ROW(t.account_id, t.source, t.event_id, t.kind,
                   coalesce(t.occurred_at, followup.event_instant(e.payload ->> 'occurred_at'), t.received_at), t.received_at,
                   t.attempts, e.payload, m.message_id, m.lead_id)::followup.inbox_item
          FROM unnest(v_taken) WITH ORDINALITY AS t
         CROSS JOIN LATERAL (SELECT p.payload FROM followup.provider_event AS p
                              WHERE p.account_id = t.account_id AND p.provider = t.source AND p.event_id = t.event_id LIMIT 1) AS e
          LEFT JOIN LATERAL followup.match_event(t.account_id, t.kind, e.payload) AS m ON t.kind <> 'replied'
         ORDER BY t.ordinality);
END
$$;
COMMENT ON FUNCTION followup.take_inbox_items(integer) IS
    'Internal: locks and reads the oldest events that are to be applied now, at most p_limit, without those that another caller has: up to the first reply, or that alone. With each the message and the lead it is about, where they are known. more: there may be others.';
