-- A database that was restored from a backup, or a replica that lagged and has taken over.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT plan(10);
SELECT t.lead(1, 'ada') AS ada, t.lead(1, 'ben') AS ben, t.lead(2, 'cid') AS cid, t.lead(2, 'dan') AS dan \gset
UPDATE followup.message SET due_at = followup.now() + '1 hour'::interval WHERE id = :ben;
SELECT is(t.verdict(2, :dan), 'claimed', 'one is being sent when the backup is made');
SELECT throws_ok('SELECT * FROM followup.after_restore()', '55006', NULL, 'not while somebody works');
UPDATE followup.lease SET expires_at = clock_timestamp() - '1 second'::interval;
SELECT throws_ok('SELECT * FROM followup.after_restore(0)', '22023', NULL, 'something is to be skipped');
SELECT max(epoch) AS epoch FROM followup.lease \gset
SELECT results_eq('SELECT * FROM followup.after_restore(5000)', 'VALUES (1::bigint, 1::bigint), (2, 1)', 'what is due may have been sent: of each account so many');
SELECT cmp_ok(t.lead(1, 'eva'), '>', (:dan + 5000)::bigint, 'a new message has an id that nobody had before');
SELECT cmp_ok(nextval('followup.order_seq'), '>', 5000::bigint, 'and so has whatever else is numbered');
SELECT is((SELECT string_agg(verdict::text, ' ') FROM t.claim(1, :ada)), 'not_ours', 'a worker of before claims nothing');
SELECT is(accepted, true, 'but what it sent is taken') FROM t.record(2, :dan, 'sent');
SELECT is(t.verdict(2, :cid), 'not_ours', 'of no account');
SELECT ok(bool_and(epoch > :epoch + 5000), 'the next owner has an epoch that nobody had')
  FROM followup.acquire_leases(t.other(), NULL, 60000);
SELECT * FROM finish();
