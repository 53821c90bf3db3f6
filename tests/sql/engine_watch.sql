-- What an operator watches: due, late, refused.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1);
\o
SELECT plan(26);
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
-- to a tenth of a second: the two clocks are read one after the other
SELECT is((posts, sent, round(late_p50_ms, -2), round(late_p99_ms, -2), round(late_max_ms, -2)), (1::bigint, 1::bigint, 2000::numeric, 2000::numeric, 2000::numeric), 'two seconds late, in real time') FROM followup.engine_lateness();
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
-- what workers say of themselves
SELECT is_empty('SELECT * FROM followup.engine_figures()', 'no worker has said anything');
\o /dev/null
SELECT followup.worker_beat('00000000-0000-0000-0000-0000000000f1', 'mail-1', false), followup.worker_beat('00000000-0000-0000-0000-0000000000f2', 'mail-2', false);
SELECT followup.worker_report('00000000-0000-0000-0000-0000000000f1', '{"in_flight": 99}');
SELECT followup.worker_report('00000000-0000-0000-0000-0000000000f1', '{"in_flight": 3, "wheel_messages": 5, "wheel_bytes": 10500000,
    "loop_turn_recent_max_seconds": 0.0125, "notify_age_seconds": null, "claim_seconds": {"count": 7, "p50": 0.0012, "p99": 0.2345},
    "send_seconds": {"count": 0, "p50": 0, "p99": 0}, "providers": [{"provider": "main", "provider_breaker": {"closed": 0, "open": 1, "half_open": 0},
    "provider_breaker_wait_seconds": 2.5, "provider_in_flight": 1, "provider_window": 64}]}');
SELECT followup.worker_report('00000000-0000-0000-0000-0000000000f2', '{}');
\o
SELECT results_eq('SELECT host, in_flight, wheel_messages, wheel_mb, loop_turn_ms, notify_age_seconds FROM followup.engine_figures()',
    $$ VALUES ('mail-1', 3::bigint, 5::bigint, 10.5, 12.5, NULL::numeric), ('mail-2', NULL, NULL, NULL, NULL, NULL) $$, 'the last word of each');
SELECT is((claim_p50_ms, claim_p99_ms, send_p50_ms, late_p99_ms), (1.2, 235::numeric, NULL::numeric, NULL::numeric), 'percentiles in ms; of nothing there are none') FROM followup.engine_figures() WHERE host = 'mail-1';
SELECT results_eq('SELECT host, provider, breaker, wait_seconds, in_flight, may_fly FROM followup.engine_providers()',
    $$ VALUES ('mail-1', 'main', 'open', 2.5, 1::bigint, 64::bigint) $$, 'and its providers');
SELECT throws_ok($$ SELECT followup.worker_report('00000000-0000-0000-0000-0000000000f1', '[1]') $$, '22023', NULL, 'a report is an object');
SELECT throws_ok($$ SELECT followup.worker_report('00000000-0000-0000-0000-0000000000f1', jsonb_build_object('a', (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 3000) AS n))) $$, '22023', NULL, 'a small one');
UPDATE followup.worker_figures SET at = at - '2 minutes'::interval;
SELECT is_empty('SELECT * FROM followup.engine_figures()', 'nor is one that fell silent shown');
SELECT is_empty('SELECT * FROM followup.engine_providers()', 'with its providers');
UPDATE followup.worker_figures SET at = at - '1 day'::interval;
SELECT lives_ok($$ SELECT followup.worker_report('00000000-0000-0000-0000-0000000000f2', '{}') $$, 'another goes on');
SELECT is((SELECT count(*) FROM followup.worker_figures), 1::bigint, 'and what was silent for a day is forgotten');
SELECT * FROM finish();
