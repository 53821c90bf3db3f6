-- After too long a time without webhooks, a provider's suppression list before the first claim.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.account(2), t.account(3);
\o
SELECT plan(57);
UPDATE followup.account SET provider = 'sg' WHERE id = 1;
UPDATE followup.account SET provider = 're' WHERE id = 2;
UPDATE followup.account SET provider = 'sg' WHERE id = 3;
INSERT INTO followup.inbox_beat (beat_at) VALUES (clock_timestamp());
INSERT INTO followup.provider_event (account_id, provider, event_id, kind, payload)
VALUES (1, 'hook', 'x1', 'opened', '{"provider_type": "sendgrid"}'), (2, 'hook', 'x2', 'opened', '{"provider_type": "resend"}');
CREATE FUNCTION t.sent(p_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE v_message bigint := t.lead(1, p_name);
BEGIN
    PERFORM t.verdict(1, v_message);
    PERFORM t.record(1, v_message, 'sent');
    RETURN v_message;
END $$;
CREATE FUNCTION t.away(p_for interval) RETURNS void LANGUAGE sql AS $$
    UPDATE followup.inbox_beat SET beat_at = clock_timestamp() - p_for;
    SELECT FROM followup.renew_leases(t.me(), t.shards(), t.epochs(), 10000) $$;
CREATE FUNCTION t.waits() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(DISTINCT account_id::text, ' ' ORDER BY account_id::text) FROM followup.list_pull WHERE ended_at IS NULL $$;
CREATE FUNCTION t.pull(p_names text[] = '{mg,sg,sg2}', p_types text[] = '{mailgun,sendgrid,sendgrid}') RETURNS text LANGUAGE sql AS $$
    SELECT provider FROM followup.claim_list_pull(t.me(), t.shards(), t.epochs(), p_names, p_types, 'sandbox') $$;
CREATE FUNCTION t.page(p_entries jsonb) RETURNS integer LANGUAGE sql AS $$
    SELECT followup.apply_list_page('sg', (SELECT asked_at FROM followup.list_pull WHERE account_id = 1), p_entries) $$;
CREATE FUNCTION t.over(p_error text = NULL, p_final boolean = false, p_wait_ms bigint = 0) RETURNS void LANGUAGE sql AS $$
    SELECT followup.end_list_pull('sg', (SELECT asked_at FROM followup.list_pull WHERE account_id = 1), p_error, p_final, p_wait_ms) $$;
CREATE FUNCTION t.entry(p_name text, p_kind text, p_at timestamptz = clock_timestamp(), p_reason text = '550 5.1.1 unknown') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('address', p_name || '@people.EXAMPLE', 'kind', p_kind, 'at', extract(epoch FROM p_at), 'type', CASE p_kind WHEN 'bounced' THEN 'bounce' END, 'reason', p_reason) $$;
CREATE FUNCTION t.is(p_name text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws('/', l.state, l.sub_state) || ' ' || string_agg(m.state::text, ' ' ORDER BY m.id) || coalesce(' ' || max(s.reason), '')
      FROM followup.lead AS l JOIN followup.message AS m ON m.account_id = l.account_id AND m.lead_id = l.id
      LEFT JOIN followup.suppression AS s ON s.account_id = l.account_id AND s.address = lower(l.email)
     WHERE l.account_id = 1 AND l.email = p_name || '@People.example' GROUP BY l.id, l.state, l.sub_state $$;
\o /dev/null
SELECT t.sent(n) FROM unnest(ARRAY['hard', 'full', 'vague', 'spam', 'gone', 'old', 'back', 'soft', 'kept']) AS n;
SELECT t.lead(1, 'new') AS new, t.lead(2, 'other') AS other, t.lead(3, 'third') AS third \gset
SELECT followup.record_bounce(1, (SELECT m.id FROM followup.message m JOIN followup.lead l ON l.id = m.lead_id WHERE l.email LIKE 'soft@%' AND m.state = 'sent'), 'soft', 'full');
SELECT followup.record_bounce(1, (SELECT m.id FROM followup.message m JOIN followup.lead l ON l.id = m.lead_id WHERE l.email LIKE 'back@%' AND m.state = 'sent'), 'hard', 'no such user');
SELECT followup.unbounce(1, ARRAY[(SELECT id FROM followup.lead WHERE email LIKE 'back@%')], NULL, 'she wrote');
\o

SELECT t.away('20 hours');
SELECT is(t.waits(), NULL, 'SendGrid repeats its webhooks for a day');
SELECT t.away('25 hours');
SELECT is(t.waits(), '1', 'away for longer: the account waits, and not those without such webhooks, or of a provider without a list');
SELECT is(t.verdict(1, :new) || ' ' || t.verdict(2, :other) || ' ' || t.verdict(3, :third), 'gone claimed claimed', 'it alone is not claimed for');
SELECT is_empty('SELECT FROM followup.message_to_load WHERE account_id = 1 AND due_at < followup.now()', 'nor loaded');
SELECT is((SELECT string_agg(cause, ' ') FROM followup.explain_wait(1, :new, followup.now())), 'no webhooks were received for long: a provider''s suppression list is being pulled first', 'and explain says why');
SELECT is((SELECT string_agg(alert || ': ' || detail, '; ') FROM followup.account_alerts(1) WHERE alert = 'waits for a list'), 'waits for a list: sendgrid', 'as do the alerts');
SELECT is(t.pull(), 'sg', 'the provider by which it sends is asked');
SELECT is(t.pull(), NULL, 'by one at a time');
SELECT is(t.page(jsonb_build_array(t.entry('hard', 'bounced'), t.entry('full', 'bounced', p_reason => '552 5.2.2 full'), t.entry('vague', 'bounced', p_reason => 'no'), t.entry('spam', 'complained'), t.entry('gone', 'unsubscribed'))), 5, 'entries that are new');
SELECT is(t.is('hard'), 'deactivated/BounceDeactivated bounced cancelled bounce', 'a bounce, as its webhook would have told it');
SELECT is(t.is('full'), 'deactivated/BounceDeactivated bounced cancelled bounce', 'however mild: mail to it is refused from now on');
SELECT is(t.is('vague'), 'deactivated/CannotDetermine bounced cancelled', 'for no reason that can be read');
SELECT is(t.is('spam'), 'unsubscribed complained cancelled complained', 'a complaint');
SELECT is(t.is('gone'), 'unsubscribed sent cancelled unsubscribed', 'an unsubscribe');
SELECT is((SELECT string_agg(kind::text, ' ' ORDER BY kind::text) FROM followup.provider_event WHERE account_id = 1 AND provider = 'sg' AND applied_at IS NOT NULL), 'bounced bounced bounced complained unsubscribed', 'in the log of events');
SELECT is((SELECT string_agg(action, ' ' ORDER BY id) FROM followup.activity WHERE account_id = 1 AND lead_id = (SELECT id FROM followup.lead WHERE email LIKE 'hard@%') AND action <> 'start'), 'bounce', 'and among the activity');
SELECT is(t.page(jsonb_build_array(t.entry('nobody', 'bounced'), t.entry('old', 'bounced', now() - interval '2 days'), t.entry('back', 'bounced', now() - interval '1 hour'), t.entry('old', 'bounced', 'infinity') || '{"at": "soon"}')) , 1, 'unknown, from before, taken back since: nothing. Without a date: it counts');
SELECT is(t.is('back'), 'active/sequence bounced cancelled scheduled', 'what a person took back after it stays so');
SELECT is(t.is('soft'), 'active/sequence bounced cancelled scheduled', 'a soft bounce is to be sent again');
SELECT is(t.page(jsonb_build_array(t.entry('soft', 'bounced'), t.entry('new', 'bounced'))), 2, 'bounced already, and never written to');
SELECT is(t.is('soft') || ', ' || t.is('new'), 'deactivated/BounceDeactivated bounced cancelled cancelled bounce, deactivated/BounceDeactivated cancelled bounce', 'nothing goes there');
SELECT is(t.is('kept'), 'active/sequence sent scheduled', 'nobody else is touched');
SELECT is(t.waits(), '1', 'it waits for the end of the list');
SELECT t.over('HTTP 500');
SELECT is(t.pull(), NULL, 'after a failure it is asked later');
UPDATE followup.list_pull SET next_try_at = clock_timestamp();
SELECT is(t.pull(), 'sg', 'again');
SELECT is(t.page(jsonb_build_array(t.entry('kept', 'bounced', 'epoch'))), 0, 'from the beginning');
SELECT t.over();
SELECT is(t.pull(), NULL, 'read to its end');
SELECT is(t.waits(), NULL, 'nobody waits');
SELECT is((SELECT string_agg(provider_type || ' ' || kinds, ', ' ORDER BY provider_type) FROM followup.events_may_be_missing(1)), 'sendgrid rest', 'what may be missing still is the rest');
SELECT is_empty($$ SELECT FROM followup.account_alerts(1) WHERE alert ~ 'list' $$, 'no alert');

-- Waited for long enough
SELECT t.away('25 hours');
SELECT t.pull() \g /dev/null
SELECT t.over('HTTP 401');
UPDATE followup.list_pull SET next_try_at = clock_timestamp(), planned_at = planned_at - interval '11 minutes';
SELECT is(coalesce(t.pull(), 'nothing') || coalesce(t.waits(), ''), 'nothing', 'after ten minutes nobody waits any more');
SELECT is((SELECT string_agg(alert || ': ' || detail, '; ') FROM followup.account_alerts(1) WHERE alert ~ 'list'), 'list not pulled: sendgrid: given up after 1 tries: sg: HTTP 401', 'and the alert says so');
SELECT is((SELECT string_agg(kinds, ' ' ORDER BY kinds) FROM followup.events_may_be_missing(1)), 'all rest', 'all may be missing of that time');
-- The provider names a time
SELECT t.away('25 hours');
SELECT t.pull() \g /dev/null
SELECT t.over('HTTP 429', p_wait_ms => 180000);
SELECT ok((SELECT next_try_at > clock_timestamp() + interval '170 seconds' FROM followup.list_pull), 'before that it is not asked');
UPDATE followup.list_pull SET next_try_at = clock_timestamp();
SELECT is(t.pull(), 'sg', 'then it is');
SELECT t.over('HTTP 429', p_wait_ms => 1);
SELECT ok((SELECT next_try_at > clock_timestamp() + interval '8 seconds' FROM followup.list_pull), 'and never sooner than after any other failure');
UPDATE followup.list_pull SET next_try_at = clock_timestamp();
SELECT t.pull() \g /dev/null
SELECT t.over('HTTP 429', p_wait_ms => 601000);
SELECT is(coalesce(t.pull(), 'nothing') || coalesce(t.waits(), ''), 'nothing', 'a time when nobody waits any more is not waited for');
SELECT is((SELECT error FROM followup.list_pull), 'sg: HTTP 429', 'and why is kept');
-- Longer than is read
SELECT t.away('25 hours');
SELECT t.pull() \g /dev/null
SELECT t.over('too long', true);
SELECT is(coalesce(t.pull(), 'nothing') || coalesce(t.waits(), ''), 'nothing', 'what asking again would not mend is not waited for');
SELECT is((SELECT error FROM followup.list_pull), 'sg: too long', 'and kept');
-- Nobody can ask
SELECT t.away('25 hours');
SELECT is(coalesce(t.pull('{mg}', '{mailgun}'), 'nothing') || coalesce(t.waits(), ''), 'nothing', 'without a provider of the type nobody waits');
-- By two providers of the type
INSERT INTO followup.assistant (account_id, id, name, from_address, provider) VALUES (1, 11, 'Two', 'two@firm.example', 'sg2');
SELECT t.away('25 hours');
SELECT is(t.pull(), 'sg', 'one after');
SELECT t.over();
SELECT is(t.pull() || ' ' || t.waits(), 'sg2 1', 'the other');
-- Switched off
UPDATE followup.list_pull SET ended_at = clock_timestamp();
UPDATE followup.suppression_list SET waits = '0';
SELECT t.away('25 hours');
SELECT is(t.waits(), NULL, 'waits 0: never');
-- Somebody has an account, for himself or shared, and somebody else notes a gap
UPDATE followup.suppression_list SET waits = '10 minutes';
SELECT t.hold('FROM followup.account WHERE id = 1 FOR UPDATE') \g /dev/null
SELECT is(t.begin('SELECT t.away(''25 hours'')::text'), 'done', 'leases are kept, and no account is waited for');
SELECT t.let_go(), t.answer() \g /dev/null
SELECT is(t.waits(), '1', 'it waits for its list');
SELECT t.hold(format('followup.lock_leads(1, ARRAY[%s])', t.lead_of(1, :new))) \g /dev/null
SELECT t.lead(1, 'later') AS later \gset
SELECT is(t.verdict(1, :later), 'gone', 'and nothing of it is claimed, while somebody works on it');
SELECT is(t.pull(), 'sg', 'nor does its list wait for him');
SELECT t.over(), t.let_go() \g /dev/null
UPDATE followup.list_pull SET ended_at = clock_timestamp() WHERE account_id = 1;
SELECT is(t.verdict(1, :later), 'claimed', 'then it goes');
INSERT INTO followup.list_pull (account_id, provider_type, since, planned_at, next_try_at) VALUES (424242, 'ses', now(), now(), now());
SELECT t.pull() \g /dev/null
SELECT is_empty('SELECT FROM followup.list_pull WHERE account_id = 424242', 'what is left of an account that is gone goes too');
-- Another gap while a page is applied
SELECT t.away('25 hours') \g /dev/null
SELECT t.pull() \g /dev/null
SELECT t.hold(format('FROM followup.lead WHERE account_id = 1 AND id = %s FOR NO KEY UPDATE', t.lead_of(1, :later))) \g /dev/null
SELECT is(t.begin($$ SELECT t.page(jsonb_build_array(t.entry('later', 'bounced')))::text $$), 'waits', 'a page waits for a lead');
SELECT t.away('25 hours') \g /dev/null
SELECT t.let_go() \g /dev/null
SELECT is(t.answer(), '1', 'and is applied');
SELECT ok(done = '{}' AND next_try_at <= clock_timestamp(), 'but a gap that was noted meanwhile has begun the pull anew') FROM followup.list_pull WHERE account_id = 1;
UPDATE followup.list_pull SET ended_at = clock_timestamp() WHERE account_id = 1;
-- Of several accounts: all locks before the first change, for that takes caps, which are last.
UPDATE followup.assistant SET daily_cap = 1000 WHERE account_id = 1;
SELECT t.sent('last') \g /dev/null
UPDATE followup.list_pull SET asked_provider = 'sg', asked_at = clock_timestamp(), ended_at = NULL WHERE account_id = 1;
INSERT INTO followup.list_pull (account_id, provider_type, since, planned_at, next_try_at, asked_provider, asked_at)
SELECT 3, provider_type, since, planned_at, next_try_at, asked_provider, asked_at FROM followup.list_pull WHERE account_id = 1;
SELECT t.hold(format('followup.lock_leads(3, ARRAY[%s])', t.lead_of(3, :third))) \g /dev/null
SELECT is(t.begin($$ SELECT t.page(jsonb_build_array(t.entry('last', 'bounced'), t.entry('third', 'bounced')))::text $$), 'waits', 'a page waits for a lead of one account');
SELECT lives_ok('SELECT FROM followup.cap_lock WHERE account_id = 1 FOR NO KEY UPDATE NOWAIT', 'and has no caps of another');
SELECT t.let_go() \g /dev/null
SELECT is(t.answer(), '2', 'and applies all of it then');
SELECT is_empty('SELECT * FROM followup.invariants(true) WHERE broken > 0 AND invariant <> ''sent_early''', 'everything holds that must');
SELECT * FROM finish();
