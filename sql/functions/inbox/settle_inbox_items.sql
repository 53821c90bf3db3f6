CREATE OR REPLACE FUNCTION followup.settle_inbox_items(p_items followup.inbox_item[], p_done text[]) RETURNS void
LANGUAGE sql VOLATILE AS $$
    UPDATE followup.provider_event AS e
       SET message_id = coalesce(i.message_id, e.message_id), occurred_at = i.occurred_at,
           applied_at = CASE WHEN i.done = 'applied' THEN pg_catalog.clock_timestamp() END,
           attempts = e.attempts + (i.done NOT IN ('applied', 'busy'))::integer,
           error = CASE i.done WHEN 'applied' THEN NULL WHEN 'busy' THEN e.error WHEN 'unmatched' THEN followup.inbox_unmatched() ELSE i.done END,
           next_try_at = CASE i.done WHEN 'applied' THEN NULL WHEN 'busy' THEN pg_catalog.clock_timestamp() + '100 ms'::interval
                                     ELSE followup.inbox_next_try(i.attempts + 1) END
      FROM unnest(p_items, p_done) AS i (account_id, source, event_id, kind, occurred_at, received_at, attempts, event, message_id, lead_id, done)
     WHERE e.account_id = i.account_id AND e.provider = i.source AND e.event_id = i.event_id
$$;
COMMENT ON FUNCTION followup.settle_inbox_items(followup.inbox_item[], text[]) IS
    'Internal: writes what became of events that were taken; parallel arrays; p_done: applied, unmatched, busy, or an error.';
