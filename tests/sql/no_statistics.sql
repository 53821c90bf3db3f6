-- A database that was never analysed, as on its first day: claim and record read what they were asked for, not all that the
-- account has.
\ir support/engine.sql
\o /dev/null
ALTER TABLE followup.message SET (autovacuum_enabled = off);
ALTER TABLE followup.conversation SET (autovacuum_enabled = off);
SELECT t.account(1);
\o
SELECT plan(5);

CREATE TABLE t.due AS SELECT t.lead(1, 'lead' || g) AS id FROM generate_series(1, 200) AS g;
CREATE TABLE t.asked AS SELECT array_agg(id) AS ids FROM (SELECT id FROM t.due ORDER BY id LIMIT 20) AS d;
-- Rows that this transaction fetched by an index of the table.
CREATE FUNCTION t.fetched(p_table text) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = ('followup.' || p_table)::regclass $$;

BEGIN;
SELECT count(*) AS claimed FROM t.asked AS a, LATERAL t.claim(1, VARIADIC a.ids) AS c WHERE c.verdict = 'claimed' \gset
SELECT is(:claimed, 20, 'claimed');
SELECT cmp_ok(t.fetched('message') + t.fetched('conversation'), '<=', 20 * 10::bigint, 'a claim reads each message and conversation a few times');
SELECT cmp_ok(t.fetched('step'), '<=', 20::bigint, 'and of the steps its own only');
COMMIT;
BEGIN;
SELECT count(*) AS recorded FROM t.asked AS a, LATERAL unnest(a.ids) AS i(id), LATERAL t.record(1, i.id, 'sent') AS r WHERE r.accepted \gset
SELECT is(:recorded, 20, 'recorded');
SELECT cmp_ok(t.fetched('message') + t.fetched('conversation'), '<=', 20 * 20::bigint, 'and so does a record');
COMMIT;
SELECT * FROM finish();
