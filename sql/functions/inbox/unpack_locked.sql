CREATE OR REPLACE FUNCTION followup.unpack_locked(p_rows tid[]) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_events integer;
BEGIN
    -- In the order of the key, so that two callers with the same events wait for each other and never in a ring.
    WITH taken AS (
        DELETE FROM followup.webhook AS w
         WHERE w.ctid = ANY (p_rows)
        RETURNING w.account_id, w.id, w.source, w.events, w.received_at
    )
    INSERT INTO followup.provider_event (account_id, provider, event_id, kind, payload, received_at, next_try_at)
    SELECT DISTINCT ON (t.account_id, t.source, e.event ->> 'event_id')      -- told twice: the first
           t.account_id, t.source, e.event ->> 'event_id', (e.event ->> 'kind')::followup.event_kind, e.event, t.received_at, t.received_at
      FROM taken AS t
      JOIN followup.account AS a ON a.id = t.account_id
     CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(t.events::jsonb) WITH ORDINALITY AS e (event, place)
     ORDER BY t.account_id, t.source, e.event ->> 'event_id', t.received_at, t.id, e.place
        ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_events = ROW_COUNT;
    RETURN v_events;
END
$$;
COMMENT ON FUNCTION followup.unpack_locked(tid[]) IS
    'Internal: takes these webhooks apart and away; the number of events that were not known before. The caller has locked them, so that they stay where they are. Fails as a whole when one of them holds what is no typed event.';
