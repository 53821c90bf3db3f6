-- Leases, and what they find: orphans, lost claims, what is due.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT plan(63);

-- leases
SELECT is(count(*), 64::bigint, 'every shard has a lease') FROM followup.lease WHERE owner = t.me();
SELECT is_empty('SELECT * FROM followup.acquire_leases(t.other(), NULL, 60000)', 'a live lease is not taken');
SELECT is(count(*), 64::bigint, 'renewed by its owner') FROM followup.renew_leases(t.me(), t.shards(), t.epochs(), 60000);
SELECT is_empty('SELECT * FROM followup.renew_leases(t.other(), t.shards(), t.epochs(), 60000)', 'not by another');
SELECT is_empty('SELECT * FROM followup.renew_leases(t.me(), ARRAY[3], ARRAY[7]::bigint[], 60000)', 'not at another epoch');
UPDATE followup.lease SET expires_at = clock_timestamp() - '1 s'::interval WHERE shard < 2;
SELECT is(count(*), 1::bigint, 'one that ran out and was not taken can be renewed') FROM followup.renew_leases(t.me(), ARRAY[0], ARRAY[1]::bigint[], 60000);
SELECT results_eq('SELECT * FROM followup.acquire_leases(t.other(), NULL, 60000)', 'VALUES (1, 2::bigint)', 'one that ran out is taken, one epoch up');
SELECT is_empty('SELECT * FROM followup.renew_leases(t.me(), ARRAY[1], ARRAY[1]::bigint[], 60000)', 'and lost to the former owner');
SELECT is(followup.release_leases(t.me(), ARRAY[5, 1], ARRAY[1, 1]::bigint[]), 1, 'only what is ours is released');
SELECT is(followup.release_leases(t.me(), ARRAY[6], ARRAY[0]::bigint[]), 0, 'at the epoch at which it was taken');
SELECT results_eq('SELECT * FROM followup.acquire_leases(t.other(), NULL, 60000)', 'VALUES (5, 2::bigint)', 'a released one is free at once');
SELECT is(count(*), 62::bigint, 'a dead worker''s are taken at once') FROM followup.acquire_leases(t.other(), t.me(), 60000);
SELECT is(count(*), 64::bigint, 'and back') FROM followup.acquire_leases(t.me(), t.other(), 60000);
UPDATE followup.lease SET expires_at = '-infinity' WHERE shard < 2;
SELECT t.hold('FROM followup.lease WHERE shard = 0 FOR KEY SHARE');
SELECT results_eq('SELECT shard FROM followup.acquire_leases(t.me(), NULL, 60000)', 'VALUES (1)', 'one under which a claim runs is left for the next time');
SELECT is(count(*), 1::bigint, 'its owner renews it without waiting') FROM followup.renew_leases(t.me(), ARRAY[0], ARRAY[(t.epochs())[1]], 60000);
SELECT t.let_go();

-- the worker
\o /dev/null
SELECT followup.worker_beat(t.me(), 'host', false), followup.worker_beat(t.me(), 'host', true);
INSERT INTO followup.worker (id, host, beat_at) VALUES (t.other(), 'host', clock_timestamp() - '8 days'::interval);
SELECT followup.worker_beat(t.me(), 'host', true);
\o
SELECT results_eq('SELECT id, host, draining FROM followup.worker', 'SELECT t.me(), ''host''::text, true', 'one row a worker; the long dead are forgotten');

-- several workers
\o /dev/null
DELETE FROM followup.worker;
SELECT followup.worker_beat(t.me(), 'one', false), followup.worker_beat(t.other(), 'two', false);
UPDATE followup.lease SET owner = t.me(), expires_at = clock_timestamp() + '1 min'::interval;
CREATE TEMP TABLE meant AS SELECT * FROM followup.preferred_owners(t.me(), 60000);
\o
SELECT is(count(*), 64::bigint, 'every shard is meant for somebody') FROM meant;
SELECT ok(count(*) BETWEEN 16 AND 48, 'two workers share them') FROM meant WHERE worker = t.me();
SELECT set_eq('SELECT shard FROM followup.renew_leases(t.me(), t.shards(), t.epochs(), 60000) WHERE elsewhere',
    'SELECT shard FROM meant WHERE worker = t.other()', 'a renewal names those meant for another');
SELECT is(followup.release_leases(t.me(), t.shards(), t.epochs()), 64, 'all are given up');
SELECT set_eq('SELECT shard FROM followup.acquire_leases(t.other(), NULL, 60000)', 'SELECT shard FROM meant WHERE worker = t.other()',
    'each worker takes those meant for it');
SELECT is_empty('SELECT * FROM followup.acquire_leases(t.other(), NULL, 60000)', 'and leaves the rest');
UPDATE followup.lease SET expires_at = clock_timestamp() - '61 s'::interval WHERE owner IS NULL AND shard = (SELECT min(shard) FROM meant WHERE worker = t.me());
SELECT results_eq('SELECT shard FROM followup.acquire_leases(t.other(), NULL, 60000)', 'SELECT min(shard) FROM meant WHERE worker = t.me()',
    'until they have been free for as long as a lease');
UPDATE followup.worker SET beat_at = clock_timestamp() - '61 s'::interval WHERE id = t.me();
SELECT is(count(*), (SELECT count(*) - 1 FROM meant WHERE worker = t.me()), 'or whom they are meant for has not beaten for as long')
  FROM followup.acquire_leases(t.other(), NULL, 60000);
SELECT is(count(*), 0::bigint, 'it is asked for none of them, then') FROM followup.renew_leases(t.other(), t.shards(), t.epochs(), 60000) WHERE elsewhere;
SELECT followup.worker_beat(t.me(), 'one', true) \g /dev/null
SELECT is(count(*), 0::bigint, 'nor for a worker that drains') FROM followup.renew_leases(t.other(), t.shards(), t.epochs(), 60000) WHERE elsewhere;
SELECT is(count(*), 64::bigint, 'a dead worker''s are taken at once, whoever they are meant for') FROM followup.acquire_leases(t.me(), t.other(), 60000);
SELECT is_empty(format('SELECT FROM followup.worker WHERE id = %L', t.other()), 'and nothing is left for it');

-- unclaim
SELECT t.lead(1, 'ada') AS ada, t.lead(1, 'ben') AS ben, t.lead(1, 'cid') AS cid \gset
SELECT epoch AS epoch, due_at AS due FROM t.claim(1, :ada, :ben) WHERE message_id = :ada \gset
SELECT is_empty(format('SELECT * FROM followup.unclaim_messages(t.me(), ARRAY[1, 1]::bigint[], ARRAY[%s, %s], ARRAY[%s, %s]::bigint[])', :ada, :cid, :epoch + 1, :epoch), 'another epoch, or not sending: not given back');
SELECT is_empty(format('SELECT * FROM followup.unclaim_messages(t.other(), ARRAY[1]::bigint[], ARRAY[%s]::bigint[], ARRAY[%s]::bigint[])', :ada, :epoch), 'nor by another worker');
SELECT results_eq(format('SELECT * FROM followup.unclaim_messages(t.me(), ARRAY[1]::bigint[], ARRAY[%s]::bigint[], ARRAY[%s]::bigint[])', :ada, :epoch),
    format('VALUES (1::bigint, %s::bigint, %L::timestamptz)', :ada, :'due'), 'given back, due when it was');
SELECT is((state::text, attempts, posts), ('scheduled'::text, 0, 0), 'and its key was not used') FROM followup.message WHERE id = :ada;
SELECT is((attempts, posts), (1, 1), 'so the next claim takes the same one') FROM t.claim(1, :ada);
\o /dev/null
SELECT followup.stop_messaging(1, ARRAY[t.lead_of(1, :ben)]);
\o
SELECT is_empty(format('SELECT * FROM followup.unclaim_messages(t.me(), ARRAY[1]::bigint[], ARRAY[%s]::bigint[], ARRAY[%s]::bigint[])', :ben, :epoch), 'a stopped lead''s is not due again');
SELECT is(t.state(1, :ben), 'cancelled', 'but cancelled');

-- lost claims
SELECT is_empty(format('SELECT * FROM followup.sweep_sending(t.me(), t.shards(), t.epochs(), ARRAY[1]::bigint[], ARRAY[%s]::bigint[], followup.claim_mark(), 0, 100)', :ada), 'what is in flight is left alone');
SELECT is_empty('SELECT * FROM followup.sweep_sending(t.me(), t.shards(), t.epochs(), ''{}'', ''{}'', followup.claim_mark(), 60000, 100)', 'what was claimed a moment ago too');
SELECT claim_seq - 1 AS before_ada FROM followup.message WHERE id = :ada \gset
SELECT is_empty(format('SELECT * FROM followup.sweep_sending(t.me(), t.shards(), t.epochs(), ''{}'', ''{}'', %s, 0, 100)', :before_ada), 'and what was claimed after the mark, however late that is asked');
SELECT is_empty('SELECT * FROM followup.sweep_sending(t.other(), t.shards(), t.epochs(), ''{}'', ''{}'', followup.claim_mark(), 0, 100)', 'another worker finds nothing');
SELECT is(t.state(1, :ada), 'sending', 'and changes nothing');
SELECT results_eq('SELECT message_id FROM followup.sweep_sending(t.me(), t.shards(), t.epochs(), ''{}'', ''{}'', followup.claim_mark(), 0, 100)', format('VALUES (%s::bigint)', :ada), 'a claim whose answer was lost is due again');
SELECT is(t.state(1, :ada), 'scheduled', 'scheduled');

-- a lost claim of a key that was posted before
SELECT is(t.verdict(1, :cid), 'claimed', 'cid is claimed');
\o /dev/null
SELECT t.record(1, :cid, 'in_doubt');
SELECT * FROM followup.claim_in_doubt(t.me(), t.shards(), t.epochs(), ARRAY['sandbox'], ARRAY[3600000]::bigint[], ARRAY[10], 0, 'sandbox');
\o
SELECT is_empty('SELECT * FROM followup.sweep_sending(t.me(), t.shards(), t.epochs(), ''{}'', ''{}'', followup.claim_mark(), 0, 100)', 'is not due again');
SELECT is((state::text, attempts, posts), ('in_doubt'::text, 1, 1), 'but in doubt, as before') FROM followup.message WHERE id = :cid;

-- orphans
SELECT is(t.verdict(1, :ada), 'claimed', 'ada is claimed again');
UPDATE followup.lease SET epoch = epoch + 1;
SELECT is_empty('SELECT * FROM followup.sweep_sending(t.me(), t.shards(), t.epochs(), ''{}'', ''{}'', followup.claim_mark(), 0, 100)', 'an older epoch: nothing is due');
SELECT is(t.state(1, :ada), 'in_doubt', 'in doubt');
SELECT t.lead(1, 'dan') AS dan, t.lead(1, 'eli') AS eli \gset
SELECT is(count(*), 2::bigint, 'two more are claimed') FROM t.claim(1, :dan, :eli) WHERE verdict = 'claimed';
UPDATE followup.lease SET epoch = epoch + 1;
SELECT is_empty('SELECT * FROM followup.sweep_sending(t.me(), t.shards(), t.epochs(), ''{}'', ''{}'', followup.claim_mark(), 0, 1)', 'more of an older epoch than a look may write: nothing is due either');
SELECT bag_eq(format('SELECT state::text FROM followup.message WHERE id IN (%s, %s)', :dan, :eli), ARRAY['in_doubt', 'sending'], 'the next look has the other');
SELECT t.record(1, id, 'sent') AS ignored FROM unnest(ARRAY[:dan, :eli]) AS id \g /dev/null

-- what is due
SELECT t.lead(2, 'm1', '3 min') AS m1, t.lead(2, 'm2', '2 min') AS m2, t.lead(2, 'm3', '1 min') AS m3, t.lead(2, 'm4', '-1 min') AS m4, t.lead(1, 'n1', '2 min') AS n1 \gset
SELECT t.set(2, :m3, 'due_at = (SELECT due_at FROM followup.message WHERE id = ' || :m2 || ')');
CREATE FUNCTION t.page(p_due timestamptz, p_account bigint, p_message bigint, p_limit integer) RETURNS SETOF bigint LANGUAGE sql AS $$
    SELECT message_id FROM followup.sweep_due(t.shards(), followup.now() - '5 min'::interval, followup.now(), p_due, p_account, p_message, p_limit) $$;
SELECT results_eq('SELECT * FROM t.page(NULL, NULL, NULL, 100)', format('VALUES (%s::bigint), (%s), (%s), (%s)', :n1, :m1, :m2, :m3), 'due in the interval, by (shard, due, account, message)');
SELECT results_eq('SELECT * FROM t.page(NULL, NULL, NULL, 2)', format('VALUES (%s::bigint), (%s)', :n1, :m1), 'a page of two');
SELECT results_eq(format('SELECT * FROM t.page((SELECT due_at FROM followup.message WHERE id = %1$s), 1, %1$s, 2)', :n1), format('VALUES (%s::bigint), (%s)', :m1, :m2), 'the page after the last of a shard');
SELECT results_eq(format('SELECT * FROM t.page((SELECT due_at FROM followup.message WHERE id = %1$s), 2, %1$s, 2)', :m2), format('VALUES (%s::bigint)', :m3), 'the page after it, in the middle of one instant');
SELECT results_eq(format('SELECT * FROM t.page(''1970-01-01Z'', 2, %1$s, 2)', :m1), format('VALUES (%s::bigint), (%s)', :m1, :m2), 'a place before the interval: its shard from the beginning, none before');
SELECT is_empty(format('SELECT * FROM t.page((SELECT due_at FROM followup.message WHERE id = %1$s), 2, %1$s, 2)', :m3), 'and nothing after the last');
SELECT results_eq('SELECT * FROM t.page(''1970-01-01Z'', 0, 0, 1)', format('VALUES (%s::bigint)', :n1), 'zeroes start at the first page too');
SELECT is_empty('SELECT * FROM followup.sweep_due(ARRAY[' || (followup.shard_of(1) + 1) % 64 || '], ''-infinity'', followup.now(), NULL, NULL, NULL, 100) WHERE account_id = 1', 'of the shards asked for only');
UPDATE followup.account SET paused_at = now() WHERE id = 2;
SELECT results_eq('SELECT * FROM t.page(NULL, NULL, NULL, 100)', format('VALUES (%s::bigint)', :n1), 'without what is paused');

-- The loader's question is answered by its index.
INSERT INTO followup.message (account_id, kind, recipient, due_at) SELECT 1, 'alert', 'a@b.example', now() + g * '1 min'::interval FROM generate_series(1, 20000) AS g;
ANALYZE followup.message;
CREATE FUNCTION t.plan(p_query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_line text;
    v_text text := '';
BEGIN
    FOR v_line IN EXECUTE 'EXPLAIN ' || p_query LOOP
        v_text := v_text || v_line || E'\n';
    END LOOP;
    RETURN v_text;
END $$;
SELECT matches(t.plan('SELECT account_id, id, due_at FROM followup.message_to_load WHERE shard IN (' || followup.shard_of(1) || ', 70) AND due_at < now() + ''1 hour'''),
    'message_queue', 'the loader reads the queue''s index');
SELECT doesnt_match(t.plan('SELECT account_id, id, due_at FROM followup.message_to_load WHERE shard IN (' || followup.shard_of(1) || ', 70) AND due_at < now() + ''1 hour'''),
    'Seq Scan on message', 'and not the table');
-- A claim is a HOT update where the page has room: it touches no column that an index knows.
SELECT is_empty($$
    SELECT a.attname FROM pg_catalog.pg_index AS i
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid
     WHERE i.indrelid = 'followup.message'::regclass
       AND (a.attnum = ANY (i.indkey) OR pg_catalog.pg_get_expr(i.indpred, i.indrelid) ~ ('\m' || a.attname || '\M'))
       AND a.attname IN ('state', 'claimed_by', 'epoch', 'claimed_at', 'claim_seq', 'attempts', 'posts', 'first_post_at',
                         'provider', 'recipient', 'rfc_message_id') $$,
    'no index knows a column that a claim writes');
SELECT * FROM finish();
