-- What bounces lead to: the schedule of soft ones, the undo, the breaker on their rate, what a person is told.
BEGIN;
\ir support/rules_world.sql
SELECT plan(62);
CREATE FUNCTION t.bounce(p_message bigint, p_kind text, p_detail text = NULL) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN r.done THEN 'done' ELSE r.reason::text END FROM followup.record_bounce(1, p_message, p_kind, p_detail) AS r $$;
CREATE FUNCTION t.unbounce(p_lead bigint, p_note text = 'she wrote to us', p_actor bigint = NULL) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN r.done THEN concat_ws(' ', 'done', r.due_at - followup.now()) ELSE concat_ws('/', r.reason, r.sub_state) END
      FROM followup.unbounce(1, ARRAY[p_lead], p_actor, p_note) AS r $$;
CREATE FUNCTION t.suppressed(p_lead bigint) RETURNS text LANGUAGE sql AS $$
    SELECT s.reason FROM followup.suppression AS s JOIN followup.lead AS l ON l.account_id = s.account_id AND lower(l.email) = s.address WHERE l.id = p_lead $$;
SET test.now = '2026-03-16 08:00+00';

-- A schedule of the account's own
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
INSERT INTO followup.bounce_schedule (account_id, bounce, wait) VALUES (1, 1, '90 minutes'), (2, 1, '5 minutes');
SELECT is((followup.record_bounce(1, :a, 'soft', 'full')).due_at, followup.now() + '90 minutes', 'an account''s own schedule');
SELECT t.live(:l) AS a2, t.finish(:l) AS b2 \gset
SELECT is(t.bounce(:a2, 'soft', 'full') || ' ' || t.state(:l), 'done deactivated/BounceDeactivated', 'is its only one: after its last wait the lead is deactivated');
SELECT is((SELECT ended_by FROM followup.conversation WHERE lead_id = :l), 'soft bounce 2 of the same message: full', 'with the reason');
DELETE FROM followup.bounce_schedule WHERE account_id IS NOT NULL;
SELECT throws_ok($$ INSERT INTO followup.bounce_schedule (account_id, bounce, wait) VALUES (1, 1, '0') $$, '23514', NULL, 'a wait is longer than nothing');

-- Block: recorded
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT is(t.bounce(:a, 'block', 'spam') || ' ' || t.state(:l) || ' ' || t.messages(:l), 'done active/sequence a:bounced b:scheduled', 'a block changes nothing but the message');
SELECT is(t.suppressed(:l), NULL, 'the address is kept');
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS a \gset
SELECT is(t.bounce(:a, 'block', 'spam') || ' ' || t.state(:l) || ' ' || t.messages(:l), 'done active/sequence a:bounced b:scheduled', 'before the result too: the next is planned');
SELECT results_eq('SELECT account, alert, times, last_at, detail FROM followup.account_alerts()', $$ VALUES ('Berlin', 'blocked', 2::bigint, followup.now(), 'spam') $$, 'the account''s alerts show it');
SELECT is_empty('SELECT * FROM followup.account_alerts(2)', 'and nobody else''s');
SET test.now = '2026-03-24 08:00+00';
SELECT is_empty('SELECT * FROM followup.account_alerts()', 'for a week');

-- unbounce
SET test.now = '2026-03-16 08:00+00';
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT t.bounce(:a, 'hard', 'no such user') \g /dev/null
SELECT is(t.suppressed(:l), 'bounce', 'a hard bounce suppresses the address');
SELECT is(t.unbounce(:l, NULL) || ' ' || t.unbounce(:l, ' '), 'note_required note_required', 'unbounce wants a note');
SELECT is(t.unbounce(:l), 'done 2 days', 'what the bounce cancelled goes at its old time');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'active/sequence a:bounced b:cancelled b:scheduled', 'as a new message');
SELECT is(t.suppressed(:l), NULL, 'the suppression is gone');
SELECT is((SELECT note FROM followup.activity WHERE lead_id = :l AND action = 'unbounce'), 'she wrote to us', 'and the note is kept');
SELECT is(t.unbounce(:l), 'already_active', 'a second time it is not done');
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS a \gset
SELECT t.bounce(:a, 'unknown') \g /dev/null
SELECT is(t.unbounce(:l) || ' ' || t.messages(:l), 'done 2 days a:bounced b:scheduled', 'a bounce that came before the result had planned nothing: the one after it is next');
SELECT t.started(2) AS l \gset
SELECT t.live(:l) AS s, t.finish(:l) AS none \gset
SELECT t.bounce(:s, 'hard') \g /dev/null
SELECT is(t.state(:l) || ' ' || t.unbounce(:l) || ' ' || t.state(:l), 'deactivated/BounceDeactivated done processed/completed', 'after the last message it is processed, as it was');
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT t.reply(:l, 'satisfied') \g /dev/null
SELECT t.bounce(:a, 'hard') \g /dev/null
SELECT is(t.unbounce(:l) || ' ' || t.state(:l), 'done processed/responded/satisfied', 'and so is one that had answered');
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT t.bounce(:a, 'hard') \g /dev/null
SELECT followup.unsubscribe(1, :l) \g /dev/null
SELECT is(t.unbounce(:l) || ' ' || t.suppressed(:l), 'unsubscribed unsubscribed', 'no unbounce takes an unsubscribe back');
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT count(*) FROM followup.suppress(1, (SELECT email FROM followup.lead WHERE id = :l), 'asked', 'mail') \g /dev/null
SELECT t.bounce(:a, 'hard') \g /dev/null
SELECT is(t.unbounce(:l) || ' ' || t.suppressed(:l), 'suppressed asked', 'nor another suppression');
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT t.bounce(:a, 'hard') \g /dev/null
SELECT count(*) FROM followup.suppress(1, (SELECT email FROM followup.lead WHERE id = :l), 'asked', 'mail') \g /dev/null
SELECT is(t.unbounce(:l) || ' ' || t.suppressed(:l), 'suppressed asked', 'not even one that came after the bounce');
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT t.bounce(:a, 'hard') \g /dev/null
SELECT count(*) FROM followup.suppress(1, (SELECT email FROM followup.lead WHERE id = :l), 'bounce', 'old list') \g /dev/null
SELECT is(t.unbounce(:l) || ' ' || (SELECT source FROM followup.suppression AS s JOIN followup.lead AS l ON lower(l.email) = s.address WHERE l.id = :l), 'suppressed old list', 'whatever a person called it');
SELECT throws_ok($$ SELECT followup.suppress(1, 'x@l.example', 'bounce', 'provider') $$, '22023', 'suppress: reason "bounce" of source "provider" is what a bounce is written as, and unbounce would take it away', 'but by the words of the engine');
-- The lead has another address by then
CREATE FUNCTION t.renamed(p_lead bigint, p_message bigint) RETURNS text LANGUAGE sql AS $$
    UPDATE followup.message SET recipient = (SELECT email FROM followup.lead WHERE id = p_lead) WHERE id = p_message;
    UPDATE followup.lead SET email = 'new' || email WHERE id = p_lead;
    SELECT recipient FROM followup.message WHERE id = p_message $$;
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT t.renamed(:l, :a) AS old \gset
SELECT is(t.bounce(:a, 'hard', 'no such user') || ' ' || t.state(:l) || ' ' || t.messages(:l), 'done active/sequence a:bounced b:scheduled', 'a bounce at an address that is the lead''s no more changes nothing for it');
SELECT is(t.suppressed(:l), NULL, 'the new address is kept');
SELECT is((SELECT reason FROM followup.suppression WHERE address = :'old'), 'bounce', 'the old one is never written to');
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS a \gset
SELECT t.renamed(:l, :a) AS old \gset
SELECT is(t.bounce(:a, 'unknown') || ' ' || t.state(:l) || ' ' || t.messages(:l), 'done active/sequence a:bounced b:scheduled', 'before the result too: the next is planned');
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT t.renamed(:l, :a) AS old \gset
SELECT followup.record_event(1, 'hook', 'c1', 'complained', :a, clock_timestamp()) \g /dev/null
SELECT is(t.state(:l) || ' ' || (SELECT string_agg(s.reason, ' ') FROM followup.suppression AS s WHERE s.address IN (:'old', 'new' || :'old')), 'unsubscribed complained complained', 'a complaint is about both addresses');
SELECT is(string_agg(t.unbounce(t.lead_in(s)), ' ' ORDER BY no), 'never_started already_active inactive stopped unsubscribed deactivated/Retired', 'only leads that bounced')
  FROM unnest(ARRAY['new', 'active/sequence', 'processed/responded', 'stopped', 'unsubscribed', 'deactivated/Retired']) WITH ORDINALITY AS u (s, no);
SELECT is(t.unbounce(424242), 'not_found', 'an unknown lead');
CREATE ROLE t_app LOGIN IN ROLE followup_app;
GRANT USAGE ON SCHEMA t TO t_app;
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT t.bounce(:a, 'hard') \g /dev/null
SET SESSION AUTHORIZATION t_app;
SET followup.account = '1';
SELECT is(t.unbounce(:l, p_actor => 2), 'not_permitted', 'not a manager''s');
SELECT is(t.unbounce(:l, p_actor => 3), 'done 2 days', 'an administrator''s');
RESET SESSION AUTHORIZATION;

-- The breaker. Account 3 sends 100 messages; its limit is 5 % of at least 40.
SET test.now = '2026-05-04 08:00+00';
INSERT INTO followup.account (id, name, postal_address, bounce_rate_limit, bounce_rate_messages) VALUES (3, 'Bulk', '1 Main St', 0.05, 40);
INSERT INTO followup.assistant (account_id, id, name, from_address) VALUES (3, 30, 'Bo', 'bo@c.example');
INSERT INTO followup.sequence (account_id, id, name) VALUES (3, 30, 'Bulk');
INSERT INTO followup.sequence_version (account_id, sequence_id, version) VALUES (3, 30, 1);
INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, subject, body_text) VALUES (3, 30, 1, 'sequence', 1, 'x', '0', 'X', 'X');
CREATE FUNCTION t.send(p_count integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_leads    bigint[] := ARRAY(SELECT t.lead(3) FROM generate_series(1, p_count));
    v_messages bigint[];
BEGIN
    PERFORM followup.start_follow_up(3, v_leads, 30, 30);
    v_messages := ARRAY(SELECT id FROM followup.message WHERE account_id = 3 AND lead_id = ANY (v_leads));
    UPDATE followup.message SET state = 'sending', claimed_by = gen_random_uuid(), epoch = 1, claimed_at = clock_timestamp(), attempts = 1, posts = 1 WHERE id = ANY (v_messages);
    UPDATE followup.message SET state = 'sent', sent_at = followup.now(), detail = 'by a test' WHERE id = ANY (v_messages);
    PERFORM followup.after_message(array_fill(3::bigint, ARRAY[p_count]), v_messages);
END $$;
CREATE FUNCTION t.come_back(p_count integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_said text;
BEGIN
    PERFORM followup.record_bounce(3, m.id, 'hard', 'gone') FROM (SELECT id FROM followup.message WHERE account_id = 3 AND state = 'sent' ORDER BY id DESC LIMIT p_count) AS m;
    WHILE (SELECT coalesce(bool_or(more), false) FROM followup.apply_inbox()) LOOP END LOOP;
    SELECT CASE WHEN paused_at IS NULL THEN 'open' ELSE 'paused: ' || paused_reason END INTO v_said FROM followup.account WHERE id = 3;
    RETURN v_said;
END $$;
SELECT t.send(39) \g /dev/null
SELECT is(t.come_back(10), 'open', 'too few messages to judge by');
SELECT t.send(161) \g /dev/null
SELECT is(t.come_back(0), 'open', '10 of 200 messages is the limit');
SELECT is(t.come_back(1), 'paused: bounce rate 5.5 %: 11 of 200 messages since 2026-04-27 08:00 UTC came back, the limit is 5.0 %; resume ends this pause, and counts anew', 'one more is over it: paused, with the reason');
SELECT is((SELECT actor || ' ' || action || ' ' || (note LIKE 'bounce rate 5.5 \%%') FROM followup.activity WHERE account_id = 3 AND lead_id IS NULL), 'engine pause true', 'in the record');
SELECT results_eq('SELECT alert, left(detail, 18) FROM followup.account_alerts(3)', $$ VALUES ('paused', 'bounce rate 5.5 %:') $$, 'and among the alerts');
SELECT is((SELECT paused FROM followup.account_status(3)), true, 'status says paused');
SELECT message_id AS waiting FROM followup.start_follow_up(3, ARRAY[t.lead(3)], 30, 30) \gset
SELECT is((SELECT cause FROM followup.explain(3, :waiting) WHERE cause LIKE 'the account is paused%'), (SELECT 'the account is paused: ' || paused_reason FROM followup.account WHERE id = 3), 'and explain says why');
SELECT is(t.come_back(1) LIKE 'paused: bounce rate 5.5 \%%', true, 'more of them change nothing');
SET test.now = '2026-05-04 09:00+00';
SELECT ok(followup.resume(3), 'resume is the way back');
SELECT is((SELECT (paused_at, paused_reason)::text FROM followup.account WHERE id = 3), '(,)', 'the reason goes with it');
SELECT is(t.come_back(5), 'open', 'bounces of what left before do not pause it again');
SELECT t.send(50) \g /dev/null
SET test.now = '2026-05-04 10:00+00';
SELECT is(t.come_back(2), 'open', 'of what left since then 2 of 50 are under the limit');
SELECT is(left(t.come_back(1), 72), 'paused: bounce rate 6.0 %: 3 of 50 messages since 2026-05-04 09:00 UTC c', '3 are over it');
UPDATE followup.account SET paused_at = NULL WHERE id = 3;
SELECT is((SELECT (paused_at, paused_reason)::text FROM followup.account WHERE id = 3), '(,)', 'a resume by hand is as good');
UPDATE followup.account SET bounce_rate_limit = 1 WHERE id = 3;
SELECT is(t.come_back(30), 'open', 'a limit of 1 never pauses');
SELECT is((SELECT count(*) FROM followup.bounce WHERE NOT judged), 0::bigint, 'every bounce is judged');

-- Times without a daemon
INSERT INTO followup.provider_event (account_id, provider, event_id, kind, payload)
SELECT a, p, 'x' || n, 'opened', jsonb_build_object('provider_type', p)
  FROM (VALUES (1, 'sendgrid'), (1, 'ses'), (2, 'mailgun'), (2, 'postmark'), (3, 'resend')) AS v (a, p), generate_series(1, 3) AS n;
SELECT is_empty('SELECT * FROM followup.events_may_be_missing()', 'the daemon was there all the time: nothing is missing');
CREATE FUNCTION t.missing(p_gap interval) RETURNS text LANGUAGE sql AS $$
    DELETE FROM followup.inbox_gap;
    UPDATE followup.inbox_beat SET beat_at = clock_timestamp() - p_gap;
    SELECT count(*) FROM followup.apply_inbox();
    SELECT string_agg(concat_ws(' ', account_id, provider_type, kinds), ', ' ORDER BY account_id, provider_type, kinds) FROM followup.events_may_be_missing() $$;
SELECT is(t.missing(g::interval), x, 'away for ' || g) FROM (VALUES
    ('50 seconds', NULL), ('70 seconds', '1 ses all, 2 mailgun delivered'), ('7 hours', '1 ses all, 2 mailgun delivered'), ('8 hours', '1 ses all, 2 mailgun all'),
    ('11 hours', '1 ses all, 2 mailgun all, 2 postmark all'), ('25 hours', '1 sendgrid all, 1 ses all, 2 mailgun all, 2 postmark all'),
    ('28 hours', '1 sendgrid all, 1 ses all, 2 mailgun all, 2 postmark all, 3 resend all')) AS v (g, x);
SELECT is((SELECT count(*) FROM followup.account_alerts() WHERE alert = 'events may be missing'), 3::bigint, 'the alerts say so');
UPDATE followup.inbox_gap SET from_at = from_at - interval '8 days', until_at = until_at - interval '8 days';
SELECT is_empty('SELECT * FROM followup.events_may_be_missing()', 'for a week');
SELECT results_eq($$ SELECT provider_type || ' ' || kinds || ' ' || retries_for FROM followup.webhook_retry ORDER BY 1 $$,
    ARRAY['mailgun all 07:30:00', 'mailgun delivered 00:00:00', 'postmark all 10:21:00', 'resend all 27:35:00', 'sendgrid all 24:00:00', 'ses all 00:01:00'], 'how long each provider repeats a webhook');
SELECT is_empty('SELECT * FROM followup.invariants(true) WHERE broken > 0 AND invariant <> ''sent_early''', 'everything holds that must');
SELECT * FROM finish();
ROLLBACK;
