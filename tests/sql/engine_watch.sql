-- What an operator watches: due, late, refused.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1);
\o
SELECT plan(16);
SELECT is((overdue, due_day, in_flight, waiting, in_doubt, next_due_at), (0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, NULL::timestamptz), 'nothing to do') FROM followup.engine_due();
SELECT is((posts, sent, late_p50_ms), (0::bigint, 0::bigint, NULL::numeric), 'nothing was sent: no lateness') FROM followup.engine_lateness();
SELECT is_empty('SELECT * FROM followup.engine_refusals()', 'nothing was refused');
SELECT t.lead(1, 'ada', '3 seconds') AS ada, t.lead(1, 'ben', '-30 seconds') AS ben, t.lead(1, 'cid', '-30 minutes') AS cid,
       t.lead(1, 'dan', '-5 hours') AS dan, t.lead(1, 'eva', '-30 days') AS eva, t.lead(1, 'fay') AS fay, t.lead(1, 'gil') AS gil \gset
SELECT is((overdue, due_minute, due_hour, due_day), (3::bigint, 4::bigint, 5::bigint, 6::bigint), 'overdue counts in each, a month away in none') FROM followup.engine_due();
SELECT is(next_due_at, (SELECT due_at FROM followup.message WHERE id = :ben), 'what is next') FROM followup.engine_due();
SELECT is(t.verdict(1, :ada), 'claimed', 'one is claimed');
SELECT is((in_flight, overdue), (1::bigint, 2::bigint), 'and in flight') FROM followup.engine_due();
-- its POST began two real seconds after it was due
SELECT ok(accepted, 'it is sent') FROM t.record(1, :ada, 'sent', p_ended => (SELECT due_at + '2.005 seconds'::interval FROM followup.message WHERE id = :ada));
-- It asks two clocks one after the other, and on a busy machine something may come between.
SELECT ok((posts, sent) = (1, 1) AND late_p50_ms = late_p99_ms AND late_p99_ms = late_max_ms AND late_max_ms BETWEEN 2000 AND 2999, 'two seconds late, in real time') FROM followup.engine_lateness();
SELECT is(sent_per_s, 0.1, 'one in ten seconds') FROM followup.engine_lateness('10 seconds');
\o /dev/null
SELECT t.verdict(1, :fay), t.verdict(1, :gil);
SELECT t.record(1, :fay, 'retry', p_retry_after_ms => 60000, p_detail => 'HTTP 401: the key is wrong');
SELECT t.record(1, :gil, 'in_doubt', p_detail => 'no answer within 10 s');
\o
SELECT is((waiting, in_doubt), (1::bigint, 1::bigint), 'one waits to be tried again, one is in doubt') FROM followup.engine_due();
SELECT is(next_retry_at, (SELECT due_at FROM followup.message WHERE id = :fay), 'until then') FROM followup.engine_due();
SELECT bag_eq('SELECT outcome::text, times, detail FROM followup.engine_refusals()', $$ VALUES ('retry', 1::bigint, 'HTTP 401: the key is wrong'), ('in_doubt', 1, 'no answer within 10 s') $$, 'what came instead of a yes');
UPDATE followup.attempt SET ended_at = ended_at - '2 minutes'::interval;
SELECT is((posts, late_p50_ms), (0::bigint, NULL::numeric), 'what is older than a minute is not counted') FROM followup.engine_lateness();
SELECT throws_ok('SELECT * FROM followup.engine_lateness(''0 s'')', '22023', NULL, 'a window of nothing is refused');
\o /dev/null
INSERT INTO followup.attempt (account_id, message_id, no, post, epoch, outcome, started_at, ended_at)
SELECT 1, :eva, n, 1, 1, 'retry', now() - '1 day'::interval, now() - '1 day'::interval FROM generate_series(1, 20000) AS n;
ANALYZE followup.attempt;
\o
CREATE FUNCTION t.plan_of(p_query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || p_query; END $$;
SELECT isnt_empty($$ SELECT * FROM t.plan_of('SELECT count(*) FROM followup.attempt WHERE ended_at > now() - ''1 minute''::interval') AS line WHERE line LIKE '%attempt_ended%' $$, 'by its index');
SELECT * FROM finish();
