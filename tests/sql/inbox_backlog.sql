-- What an event costs does not grow with what waits beside it, nor with the messages of its account: not even in a session whose
-- plans were made when the tables were empty, and known to be.
\ir support/engine.sql
\ir support/inbox.sql
\o /dev/null
SELECT t.account(1);
-- Rows that this transaction fetched by an index of the table.
CREATE FUNCTION t.fetched(p_table text) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = ('followup.' || p_table)::regclass $$;
-- One webhook each, of one event about no message that we know.
CREATE FUNCTION t.foreign_webhooks(p_first integer, p_last integer) RETURNS void LANGUAGE sql AS $$
    INSERT INTO followup.webhook (account_id, source, events)
    SELECT 1, 'main', json_build_array(json_build_object('event_id', 'w-' || g, 'kind', 'delivered', 'provider_type', 'sendgrid',
                                                         'provider_message_id', 'p-' || g, 'rfc_message_id', '<r-' || g || '@other.example>'))
      FROM generate_series(p_first, p_last) AS g $$;
ALTER TABLE followup.provider_event SET (autovacuum_enabled = off);
ALTER TABLE followup.webhook SET (autovacuum_enabled = off);
ALTER TABLE followup.message SET (autovacuum_enabled = off);
VACUUM ANALYZE followup.provider_event, followup.webhook, followup.message;
SELECT t.apply(), t.foreign_webhooks(1, 1), t.apply(), t.apply();
DELETE FROM followup.provider_event;     -- it would be tried again
SELECT t.sent('lead' || g, 'q-' || g) FROM generate_series(1, 60) AS g;
INSERT INTO followup.provider_event (account_id, provider, event_id, kind, payload, next_try_at, error)
SELECT 1, 'main', 'waits-' || g, 'delivered', '{}', clock_timestamp() + interval '1 h', followup.inbox_unmatched() FROM generate_series(1, 2000) AS g;
SELECT t.foreign_webhooks(2, 501);
\o
SELECT plan(10);

BEGIN;
SELECT fresh AS unpacked FROM followup.apply_inbox(20) \gset
SELECT is(:unpacked, 20, 'of 500 stored webhooks 20 are taken apart');
SELECT cmp_ok(t.fetched('webhook') + t.fetched('provider_event'), '<=', 20 * 3::bigint, 'these are read, and of 2000 events that wait none');
COMMIT;
BEGIN;
SELECT unmatched FROM followup.apply_inbox(100) \gset
SELECT is(:unmatched, 20, 'they are of no message of ours');
SELECT cmp_ok(t.fetched('provider_event'), '<=', 20 * 4::bigint, 'each event is read a few times, those that wait beside them are not');
SELECT cmp_ok(t.fetched('message'), '<=', 20 * 2::bigint, 'and the messages of the account are not searched');
COMMIT;
DELETE FROM followup.webhook;
DELETE FROM followup.provider_event;
SELECT t.receive(t.event(NULL, 'delivered', p_more => '{"provider_message_id": "q-7"}')) \g /dev/null
SELECT is(t.apply(), '1:1/0/0', 'one that a provider''s id names is found all the same');

-- What waits longest goes first, be it a webhook or an event that is tried again
UPDATE followup.provider_event SET next_try_at = clock_timestamp() - interval '2 s', applied_at = NULL;
SELECT t.foreign_webhooks(501, 501) \g /dev/null
SELECT is((applied, fresh), (1, 0), 'an event that was due before a webhook came') FROM followup.apply_inbox(10);
UPDATE followup.provider_event SET next_try_at = clock_timestamp(), applied_at = NULL;
SELECT is((applied, fresh), (0, 1), 'but a webhook goes before one that is due since') FROM followup.apply_inbox(10);

-- What is taken apart in one call is bounded in bytes as well; a webhook that such a call left is more to do, however few events came of it.
DELETE FROM followup.provider_event;
INSERT INTO followup.webhook (account_id, source, events)
SELECT 1, 'main', json_build_array(t.event(NULL, 'delivered', 'large-' || g, jsonb_build_object('provider_message_id', 'q-' || g,
           'detail', (SELECT string_agg(gen_random_uuid()::text, '') FROM generate_series(1, 15000)))))
  FROM generate_series(1, 2) AS g;
SELECT is((applied, fresh, more), (0, 1, true), 'one of two large webhooks is taken apart') FROM followup.apply_inbox(10);
SELECT is((applied, fresh, more), (1, 0, true), 'when its event is applied, the other is more to do') FROM followup.apply_inbox(10);
SELECT * FROM finish();
