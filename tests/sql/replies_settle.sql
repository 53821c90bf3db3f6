-- Replies that wait for a person, and the rules that managers edit.
BEGIN;
\ir support/rules_world.sql
SELECT plan(42);

CREATE FUNCTION t.mail(p_from text, p_text text, p_more jsonb = '{}') RETURNS text LANGUAGE sql AS $$
    SELECT followup.apply_inbound_reply(1, jsonb_build_object('from', p_from, 'subject', 'Re: hello', 'recipients', '["sue@a.example"]'::jsonb, 'text', p_text) || p_more) $$;
CREATE FUNCTION t.waiting() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(why || ':' || reads_as, ' ' ORDER BY reply) FROM followup.replies_to_settle(1) $$;

SELECT t.started() AS l \gset
SELECT email AS address FROM followup.lead WHERE id = :l \gset
SELECT is(t.waiting(), NULL, 'nothing waits');
SELECT t.mail(:'address', 'I am interested, please call me.') AS r1, t.mail('x@y.example', 'Hello?') AS r2, t.mail('x@y.example', 'My lawyer: I will take legal action.') AS r3 \gset
SELECT is(t.waiting(), 'unmatched:hot_lead unmatched:lead_to_review unmatched, legal threat:stop', 'what matched nobody waits, with what it reads as');
SELECT is((SELECT array_agg(likely_lead) FROM followup.replies_to_settle(1)), ARRAY[:l, NULL, NULL]::bigint[], 'the lead of that address is named');
SELECT is((SELECT count(*)::integer FROM followup.replies_to_settle(1, 1)), 1, 'so many as asked for');
SELECT is_empty('SELECT * FROM followup.replies_to_settle(2)', 'in its account');
SELECT min(id) AS one, max(id) AS three FROM followup.reply \gset
SELECT is((SELECT (lead_id, outcome)::text FROM followup.settle_reply(1, :one, :l)), (:l, 'hot_lead')::text, 'a person says whose it is');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'active/follow_up/hot_lead a:cancelled f:scheduled', 'and it does what it means');
SELECT is((SELECT (lead_id, matched_by, settled_at IS NOT NULL)::text FROM followup.reply WHERE id = :one), (:l, 'person', true)::text, 'it is the lead''s now');
SELECT throws_ok(format('SELECT followup.settle_reply(1, %s, %s)', :one, :l), 'P0002', NULL, 'once');
SELECT is((SELECT (lead_id, outcome)::text FROM followup.settle_reply(1, :three, NULL, NULL, 2, 'spam')), '(,stop)', 'or that it is nobody''s');
SELECT is(t.waiting(), 'unmatched:lead_to_review', 'what is settled waits no more');
SELECT is((SELECT (actor, note)::text FROM followup.activity WHERE action = 'reply_settled' ORDER BY id DESC LIMIT 1), '(user:2,spam)', 'in the record');
SELECT is((SELECT outcome FROM followup.settle_reply(1, :one + 1, :l, 'stop')), 'stop', 'a person''s outcome goes before what was read');
SELECT is(t.state(:l), 'stopped/hot_lead', 'and is done');
SELECT throws_ok(format('SELECT followup.settle_reply(1, 1, %s, ''stop'', 1)', :l), '42501', NULL, 'a representative may not');
SELECT throws_ok('SELECT followup.settle_reply(1, 1, 424242)', 'P0002', NULL, 'an unknown lead is refused');
SELECT throws_ok(format('SELECT followup.settle_reply(1, 1, %s, ''dance'')', :l), '22023', NULL, 'an outcome that is none too');
SELECT throws_ok('SELECT followup.settle_reply(1, 1, NULL, ''stop'')', '22023', NULL, 'and one without a lead');
SELECT t.started() AS l \gset
SELECT email AS address FROM followup.lead WHERE id = :l \gset
SELECT t.mail(:'address', 'You are scammers!', '{"dmarc": "pass"}') AS r4 \gset
SELECT is(t.state(:l) || ' ' || t.waiting(), 'stopped anger:stop', 'an alert waits as well, its lead is stopped already');
SELECT max(id) AS four FROM followup.reply \gset
SELECT results_eq('SELECT alert, times, detail FROM followup.account_alerts(1)', format($$ VALUES ('replies wait', 1::bigint, 'anger in reply %s') $$, :four), 'and status says so');
SELECT followup.worker_beat('00000000-0000-0000-0000-0000000000f1', 'h', false) \g /dev/null
SELECT is(followup.worker_report('00000000-0000-0000-0000-0000000000f1', '{}'), 1::bigint, 'and a worker learns of it');
SELECT throws_ok(format('SELECT followup.settle_reply(1, %s, %s)', :four, :l), 'P0002', NULL, 'it has its lead');
SELECT is((SELECT lead_id FROM followup.settle_reply(1, :four)), :l::bigint, 'seen');
SELECT is(t.waiting(), NULL, 'it waits no more');
SELECT is_empty('SELECT * FROM followup.account_alerts(1)', 'nor does status speak of it');
SELECT is(followup.worker_report('00000000-0000-0000-0000-0000000000f1', '{}'), 0::bigint, 'nor a worker');
SELECT t.mail('x@y.example', 'I am out of the office until 14 December.', '{"headers": [["Auto-Submitted", "auto-replied"]]}') \g /dev/null
SELECT is((SELECT (rule, until)::text FROM followup.reply ORDER BY id DESC LIMIT 1), '("away until 2026-12-14","2026-12-13 23:00:00+00")', 'until when nobody''s absence lasts is read in the account''s zone');
SELECT t.started() AS l \gset
SELECT outcome FROM followup.settle_reply(1, (SELECT max(id) FROM followup.reply), :l) \g /dev/null
SELECT is((SELECT hold_until FROM followup.conversation WHERE lead_id = :l), '2026-12-13 23:00+00', 'and holds its lead until then');

-- Rules
DELETE FROM followup.reply_rule WHERE account_id = 1;
CREATE FUNCTION t.rules() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(place || ':' || pattern, ' ' ORDER BY place) FROM followup.reply_rules(1) $$;
SELECT (followup.add_reply_rule(1, 'a', 'hot_lead')).rule AS a, (followup.add_reply_rule(1, 'b', 'stop', p_place => 99)).rule AS b,
       (followup.add_reply_rule(1, 'c', 'satisfied', 'substring', 'subject', 'after_follow_up', 2, 2, 'why')).rule AS c \gset
SELECT is(t.rules(), '1:a 2:c 3:b', 'a rule takes the place that is asked for');
SELECT is((SELECT (rule, applies, field, kind, outcome, note)::text FROM followup.reply_rules(1) WHERE pattern = 'c'), (:c, 'after_follow_up', 'subject', 'substring', 'satisfied', 'why')::text, 'with all that was said about it');
SELECT (followup.add_reply_rule(1, 'd', 'stop')).rule AS d \gset
SELECT is(t.rules(), '1:d 2:a 3:c 4:b', 'by default the first');
SELECT is((followup.move_reply_rule(1, :d, 3)).place, 3, 'a rule is moved');
SELECT is(t.rules(), '1:a 2:c 3:d 4:b', 'and the others close up');
SELECT is((followup.move_reply_rule(1, :b, 1)).place || ' ' || t.rules(), '1 1:b 2:a 3:c 4:d', 'up to the front');
SELECT is((followup.remove_reply_rule(1, :a)).pattern, 'a', 'a rule is removed');
SELECT is(t.rules(), '1:b 2:c 3:d', 'and gone');
SELECT is((SELECT string_agg(DISTINCT action, ' ') FROM followup.activity WHERE action LIKE 'reply_rule%'), 'reply_rule_added reply_rule_moved reply_rule_removed', 'all of it in the record');
SELECT throws_ok(c.call, c.code, NULL, c.what)
  FROM (VALUES ('SELECT followup.add_reply_rule(1, ''x'', ''stop'', p_actor => 1)', '42501', 'a representative may not'),
               ('SELECT followup.add_reply_rule(1, ''x'', ''dance'')', '22023', 'an outcome that no reply has'),
               ('SELECT followup.move_reply_rule(1, 424242, 1)', 'P0002', 'an unknown rule')) AS c (call, code, what);
SELECT is((SELECT (outcome, because)::text FROM followup.try_reply(1, 'b c')), format('(stop,"rule %s: words ""b""")', :b), 'what a reply would mean, and because of what');
SELECT is((SELECT (outcome, because, until)::text FROM followup.try_reply(1, 'Back on Monday 9 March', p_automatic => true)), '(out_of_office,"away until 2026-03-09","2026-03-08 23:00:00+00")', 'by phrases too');
SELECT * FROM finish();
ROLLBACK;
