-- The inbox: webhooks are stored once and applied afterwards, in whatever order they come; one bad event stops no other.
\ir support/engine.sql
\ir support/inbox.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT plan(126);

-- Stored, once
SELECT t.sent('ada') AS ada, t.sent('ben') AS ben \gset
SELECT is(t.receive(t.event(:ada, 'delivered', 'e-1'), t.event(:ben, 'delivered', 'e-2')), 'stored 2', 'a webhook of two events');
SELECT is(t.state(1, :ada), 'sent', 'is stored, not applied');
SELECT is(t.receive(t.event(:ada, 'bounced', 'e-1')), 'stored 0', 'an event id that came before is not stored again');
SELECT is(t.receive(t.event(:ada, 'delivered', 'e-3'), t.event(:ada, 'delivered', 'e-3')), 'stored 1', 'nor is one that comes twice in one webhook');
SELECT is(t.receive(VARIADIC '{}'), 'stored 0', 'a webhook of nothing');
SELECT results_eq($$ SELECT * FROM followup.receive_webhooks(ARRAY[1, 77, 1, 2, 1, 1, 1]::bigint[], ARRAY['main', 'main', 'second', 'main', 'main', NULL, 'main'],
        ARRAY['[{"event_id": "b-1", "kind": "opened"}, {"event_id": "b-2", "kind": "opened"}]', '[{"event_id": "b-1", "kind": "opened"}]', '[{"event_id": "b-1", "kind": "opened"}]',
              '[{"event_id": "b-1", "kind": "opened"}]', '[{"event_id": "b-2", "kind": "clicked"}, {"event_id": "b-3", "kind": "clicked"}]', '[]', '{"event_id": "b-9", "kind": "opened"}']::json[],
        array_fill(NULL::text, ARRAY[7])) $$,
    $$ VALUES (1, 'stored'), (2, 'no_account'), (3, 'stored'), (4, 'stored'), (5, 'stored'), (6, 'malformed'), (7, 'malformed') $$,
    'many webhooks in one call, each with its verdict');
SELECT is(count(*), 4::bigint, 'each is stored whole') FROM followup.webhook;
SELECT is(t.unpack(), '5', 'and then taken apart: an event is of its account and its webhook, told twice it is one');
SELECT is_empty('SELECT FROM followup.webhook', 'which ends it');
SELECT is(t.receive(e), 'stored 0 unreadable 1', e::text) FROM unnest(ARRAY['{"kind": "opened"}', '{"event_id": "", "kind": "opened"}',
    '{"event_id": "c-1"}', '{"event_id": "c-1", "kind": "melted"}', '7', 'null']::jsonb[]) AS e;
SELECT is(t.receive('{"event_id": "c-1", "kind": "opened"}', '{"event_id": "c-2", "kind": "melted"}'), 'stored 0 unreadable 1', 'one bad event in a webhook: nothing of it counts');
SELECT is(count(*), 7::bigint, 'but what cannot be read is kept, with its error') FROM followup.webhook WHERE error <> '';
SELECT is(t.receive('{"event_id": "c-3", "kind": "clicked"}'), 'stored 1', 'and stops none that comes after it');
SELECT results_eq('SELECT account, alert, times FROM followup.account_alerts(1)', $$ VALUES ('Account 1', 'events failed', 7::bigint) $$, 'an alert says so');
INSERT INTO followup.webhook (account_id, source, events)
SELECT 1, 'main', e FROM unnest(ARRAY['[{"event_id": "c-4", "kind": "clicked"}]', '[{"event_id": "c-5", "kind": "melted"}]', '[{"event_id": "c-6", "kind": "clicked"}]']::json[]) AS e;
SELECT is(t.unpack(), '2 unreadable 1', 'a bad one among good ones: they are read');
INSERT INTO followup.webhook (account_id, source, events) VALUES (77, 'main', '[{"event_id": "c-7", "kind": "clicked"}]');
SELECT is(t.unpack(), '0', 'those of an account that is gone');
SELECT is_empty('SELECT FROM followup.webhook WHERE account_id = 77', 'are dropped');
DELETE FROM followup.webhook;
DELETE FROM followup.provider_event WHERE event_id LIKE 'c-%';
SELECT is(count(*), 8::bigint, 'what is stored') FROM followup.provider_event;

-- Single-use tokens
CREATE FUNCTION t.with_token(p_tokens text[], VARIADIC p_ids text[]) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(verdict, ', ' ORDER BY ord)
      FROM followup.receive_webhooks(array_fill(1::bigint, ARRAY[cardinality(p_ids)]), array_fill('mg'::text, ARRAY[cardinality(p_ids)]),
               ARRAY(SELECT json_build_array(json_build_object('event_id', i, 'kind', 'opened')) FROM unnest(p_ids) WITH ORDINALITY AS u (i, no) ORDER BY no), p_tokens) $$;
SELECT is(t.with_token('{t-1}', 'g-1'), 'stored', 'a token that is new');
SELECT is(t.with_token('{t-1}', 'g-1'), 'stored', 'the same webhook again: the provider repeats itself');
SELECT is(t.with_token('{t-1}', 'g-2'), 'token_reused', 'the token with another event: refused');
SELECT is(t.with_token('{t-2,t-2,t-3,NULL}', 'g-3', 'g-4', 'g-5', 'g-6'), 'stored, token_reused, stored, stored', 'twice in one call: the first has it');
SELECT is(t.unpack(), '4', 'what came again in it is known');
SELECT is_empty($$ SELECT FROM followup.provider_event WHERE event_id IN ('g-2', 'g-4') $$, 'of what is refused nothing is stored');
SELECT followup.receive_webhooks(ARRAY[1]::bigint[], ARRAY['other'], ARRAY['[{"event_id": "g-2", "kind": "opened"}]']::json[], '{t-1}') AS r \gset
SELECT is(:'r'::text, '(1,stored)', 'another webhook''s t-1 is another token');
SELECT is((followup.receive_webhooks(ARRAY[1]::bigint[], ARRAY['mg'], ARRAY[e]::json[], '{t-9}')).verdict, wanted, what)
  FROM (VALUES ('[{"event_id": "g-9", "kind": "opened", "classified": "hot_lead"}]', 'stored', 'a mail with what a classifier said of it'),
               ('[{"event_id": "g-9", "kind": "opened"}]', 'stored', 'the same again, and the classifier is away: that is no forgery'),
               ('[{"event_id": "g-9", "kind": "clicked"}]', 'token_reused', 'another is'),
               ('7', 'malformed', 'what is no list has no digest')) AS v (e, wanted, what);
UPDATE followup.webhook_token SET seen_at = seen_at - interval '8 days' WHERE token IN ('t-1', 't-9');
\o /dev/null
SELECT t.unpack();
DELETE FROM followup.provider_event WHERE kind = 'opened';
SELECT t.apply();
UPDATE followup.inbox_beat SET beat_at = beat_at - interval '11 s';
SELECT t.apply();
\o
SELECT results_eq($$ SELECT DISTINCT token FROM followup.webhook_token ORDER BY 1 $$, ARRAY['t-2', 't-3'], 'tokens are kept for a week');

-- Applied
SELECT is(t.state(1, :ada) || ' ' || t.state(1, :ben), 'delivered delivered', 'both are delivered');
SELECT is(t.apply(), '', 'nothing is left');
SELECT is_empty($$ SELECT FROM followup.provider_event WHERE event_id LIKE 'e-%' AND (applied_at IS NULL OR next_try_at IS NOT NULL OR occurred_at IS NULL OR message_id IS NULL) $$, 'what is applied says when, and to which message');
SELECT is(t.told(:ada, 'opened') || t.told(:ada, 'opened', '{"machine": "true"}') || t.told(:ada, 'clicked'), 'delivereddelivereddelivered', 'opens and clicks move nothing');
SELECT is((opens, machine_opens, clicks), (1, 1, 1), 'but are counted, a machine''s apart') FROM followup.lead WHERE id = t.lead_of(1, :ada);
SELECT is(t.told(:ada, 'accepted') || ' ' || t.told(:ada, 'delayed'), 'delivered delivered', 'what comes late moves nothing back');

-- The vertical path: a stop by webhook
SELECT is(t.told(:ada, 'unsubscribed'), 'delivered', 'an unsubscribe');
SELECT is(t.lead_state(:ada) || ' ' || t.lead_messages(:ada), 'unsubscribed one:delivered two:cancelled', 'ends everything in the same transaction');
SELECT is(t.suppressed('ada'), 'unsubscribed', 'and the address is suppressed');
SELECT is(t.told(:ben, 'complained'), 'complained', 'a complaint');
SELECT is(t.lead_state(:ben) || ' ' || t.lead_messages(:ben) || ' ' || t.suppressed('ben'), 'unsubscribed one:complained two:cancelled complained', 'too, and its reason is kept');
SELECT is(t.told(:ben, 'delivered') || ' ' || t.told(:ben, 'bounced', '{"status": "5.1.1"}'), 'complained complained', 'after a complaint nothing moves');
SELECT t.sent('cal') AS cal \gset
SELECT is(t.told(:cal, 'bounced', '{"status": "5.1.1", "detail": "no such user"}'), 'bounced', 'a hard bounce');
SELECT is(t.lead_state(:cal) || ' ' || t.lead_messages(:cal) || ' ' || t.suppressed('cal'), 'deactivated/BounceDeactivated one:bounced two:cancelled bounce', 'deactivates and suppresses');
SELECT is(t.told(:cal, 'unsubscribed') || ' ' || t.suppressed('cal'), 'bounced unsubscribed', 'an unsubscribe after it is the stronger reason');
SELECT t.sent('cat') AS cat \gset
SELECT is(t.told(:cat, 'bounced', '{"type": "bounce"}') || ' ' || t.lead_state(:cat) || coalesce(t.suppressed('cat'), ' not suppressed'), 'bounced deactivated/CannotDetermine not suppressed', 'a bounce that cannot be read');
SELECT t.sent('cid') AS cid \gset
SELECT is(t.told(:cid, 'bounced', '{"type": "blocked", "classification": "Content", "detail": "spam words"}') || ' ' || t.lead_state(:cid) || ' ' || t.lead_messages(:cid),
          'bounced active/sequence one:bounced two:scheduled', 'a block is the sender''s: the sequence goes on');
SELECT results_eq('SELECT account, alert, times, detail FROM followup.account_alerts(1)', $$ VALUES ('Account 1', 'blocked', 1::bigint, 'spam words') $$, 'and an alert says so');
SELECT is(t.told(t.sent('col'), 'bounced', '{"provider_type": "postmark", "type": "AutoResponder"}'), 'delivered', 'an automatic answer is no bounce: it was delivered');
SELECT is(t.told(t.sent('cora'), 'bounced', '{"provider_type": "postmark", "type": "SpamComplaint"}') || ' ' || t.suppressed('cora'), 'complained complained', 'a complaint that is told as a bounce');
SELECT t.sent('dan') AS dan, t.sent('deb') AS deb \gset
SELECT is(t.told(:dan, 'failed', '{"reason": "Bounced Address"}') || ' ' || t.lead_state(:dan) || ' ' || t.suppressed('dan'), 'failed deactivated/BounceDeactivated bounce', 'not sent: the provider knows the address is dead');
SELECT is(t.told(:deb, 'failed', '{"reason": "Unsubscribed Address"}') || ' ' || t.lead_state(:deb), 'failed unsubscribed', 'not sent: the provider knows of an unsubscribe');
SELECT is(t.told(t.sent('dot'), 'complained', '{"provider_type": "ses", "type": "not-spam"}'), 'delivered', 'a complaint that was taken back is none');

-- What was in flight or in doubt is settled by whatever says that it left
SELECT t.lead(1, n) AS m FROM unnest(ARRAY['eva', 'fay', 'gus', 'hal', 'ian', 'jan', 'kim']) AS n \g /dev/null
SELECT (array_agg(id ORDER BY id))[1] AS eva, (array_agg(id ORDER BY id))[2] AS fay, (array_agg(id ORDER BY id))[3] AS gus, (array_agg(id ORDER BY id))[4] AS hal,
       (array_agg(id ORDER BY id))[5] AS ian, (array_agg(id ORDER BY id))[6] AS jan, (array_agg(id ORDER BY id))[7] AS kim
  FROM followup.message WHERE state = 'scheduled' AND due_at <= followup.now() \gset
SELECT count(*) FROM t.claim(1, :eva, :fay, :gus, :hal, :ian, :jan, :kim) \g /dev/null
SELECT t.record(1, m, 'in_doubt') FROM unnest(ARRAY[:fay, :gus, :hal]) AS m \g /dev/null
SELECT is(t.told(:eva, 'accepted', '{"provider_message_id": "14c5.filter0001.16648"}') || ' ' || t.lead_messages(:eva), 'sent one:sent two:scheduled', 'accepted settles what is being sent, and the next is planned');
SELECT is(provider_message_id, '14c5', 'the provider''s id is kept, without what SendGrid puts behind it') FROM followup.message WHERE id = :eva;
SELECT is((SELECT accepted FROM t.record(1, :eva, 'sent', p_provider_id => 'another')), true, 'the result that comes later is no surprise');
SELECT is(t.told(:fay, 'delayed') || ' ' || t.lead_messages(:fay), 'sent one:sent two:scheduled', 'delayed settles what is in doubt');
SELECT is(t.told(:gus, 'opened') || ' ' || t.lead_messages(:gus), 'sent one:sent two:scheduled', 'so does an open');
SELECT is(t.told(:hal, 'unsubscribed') || ' ' || t.lead_state(:hal) || ' ' || t.lead_messages(:hal), 'sent unsubscribed one:sent two:cancelled', 'and an unsubscribe, which ends it');
SELECT is(t.told(:ian, 'bounced', '{"type": "blocked"}') || ' ' || t.lead_messages(:ian), 'bounced one:bounced two:scheduled', 'a block before the result: the next is planned');
SELECT is(t.told(:jan, 'bounced', '{"status": "4.2.2"}') || ' ' || t.lead_messages(:jan), 'bounced one:bounced one:scheduled', 'a soft bounce before the result: the same again');
SELECT is(t.told(:kim, 'complained') || ' ' || t.lead_state(:kim) || ' ' || t.suppressed('kim'), 'complained unsubscribed complained', 'a complaint before the result');

-- Who is meant
CREATE FUNCTION t.matched(p_event text, p_kind text = 'opened') RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', message_id, lead_id) FROM followup.match_event(1, p_kind::followup.event_kind, p_event::jsonb) $$;
SELECT t.sent('lea', 'P-1') AS lea, t.sent('lou', '<20260101.abc@mg.example>') AS lou, t.sent('liz', '0100-ses') AS liz \gset
SELECT t.lead_of(1, :lea) AS l1, t.lead_of(1, :lou) AS l2, t.lead_of(1, :liz) AS l3, rfc_message_id AS rfc FROM followup.message WHERE id = :lea \gset
SELECT is(t.matched(e), expected, e) FROM (VALUES
    (format('{"fu_id": "1-%s-1"}', :lea), :'lea' || ' ' || :'l1'),
    (format('{"fu_id": "1-%s-2"}', :lea), ''), (format('{"fu_id": "2-%s-1"}', :lea), ''), ('{"fu_id": "1-99999999-1"}', ''),
    ('{"fu_id": "1-1-1; drop"}', ''), ('{"fu_id": "99999999999999999999-1-1"}', ''), ('{"fu_id": ""}', ''), ('{}', ''),
    ('{"provider_message_id": "P-1"}', :'lea' || ' ' || :'l1'),
    ('{"provider_message_id": "P-1.filterdrecv-5645"}', :'lea' || ' ' || :'l1'), ('{"provider_message_id": "P-1.recvd-x"}', :'lea' || ' ' || :'l1'),
    ('{"provider_message_id": "P-10"}', ''), ('{"provider_message_id": ""}', ''),
    ('{"provider_message_id": "20260101.abc@mg.example"}', :'lou' || ' ' || :'l2'), ('{"provider_message_id": "<20260101.abc@mg.example>"}', :'lou' || ' ' || :'l2'),
    ('{"rfc_message_id": "20260101.abc@mg.example"}', :'lou' || ' ' || :'l2'),
    (format('{"rfc_message_id": "%s"}', :'rfc'), :'lea' || ' ' || :'l1'), (format('{"rfc_message_id": "%s"}', btrim(:'rfc', '<>')), :'lea' || ' ' || :'l1'),
    (format('{"rfc_message_id": "<fu-1-%s@elsewhere.example>"}', :lea), ''),
    ('{"rfc_message_id": "<0100-ses@email.amazonses.com>"}', :'liz' || ' ' || :'l3'),
    (format('{"fu_id": "1-%s-1", "provider_message_id": "0100-ses"}', :lea), :'lea' || ' ' || :'l1'),
    ('{"fu_id": "1-99999999-1", "provider_message_id": "0100-ses"}', :'liz' || ' ' || :'l3'),
    ('{"recipient": "lea@people.example"}', '')) AS x (e, expected);
SELECT is(t.matched('{"recipient": " Lea@People.example"}', 'unsubscribed'), :'l1', 'a No of an unknown message counts by its address');
SELECT is(t.matched('{"recipient": "nobody@people.example"}', 'unsubscribed'), '', 'of a lead of ours');
SELECT t.receive('{"event_id": "n-1", "kind": "complained", "recipient": "lou@people.example", "provider_message_id": "of another system"}') \g /dev/null
SELECT is(t.apply() || ' ' || t.lead_state(:lou) || ' ' || t.state(1, :lou), '1:1/0/0 unsubscribed sent', 'it ends the lead''s messages, whichever it answered');

-- Unknown now, known later
SELECT is(t.receive(t.event(NULL, 'delivered', 'u-1', '{"provider_message_id": "later-1"}')), 'stored 1', 'an event of a message that nobody knows');
SELECT is(t.apply(), '1:0/1/0', 'is not applied');
SELECT is(t.apply(), '', 'nor looked at again at once');
SELECT is(error, 'of no message of ours', 'but kept') FROM followup.provider_event WHERE event_id = 'u-1' AND applied_at IS NULL AND next_try_at > clock_timestamp() + interval '4 s' AND next_try_at < clock_timestamp() + interval '6 s';
SELECT t.sent('mia', 'later-1') AS mia \gset
UPDATE followup.provider_event SET next_try_at = clock_timestamp() WHERE event_id = 'u-1';
SELECT is(t.apply() || ' ' || t.state(1, :mia), '1:1/0/0 delivered', 'when the message''s id has become known it is applied');
SELECT is((error, attempts), (NULL::text, 1), 'and nothing is said against it any more') FROM followup.provider_event WHERE event_id = 'u-1';
SELECT t.receive(t.event(NULL, 'delivered', 'u-2', '{"provider_message_id": "never"}')) \g /dev/null
SELECT t.apply(), followup.inbox_next_try(9) - clock_timestamp() AS ninth \gset
UPDATE followup.provider_event SET next_try_at = clock_timestamp(), attempts = 9 WHERE event_id = 'u-2';
SELECT t.apply() \g /dev/null
SELECT is((attempts, next_try_at), (10, NULL::timestamptz), 'after ten times it is given up') FROM followup.provider_event WHERE event_id = 'u-2';
SELECT cmp_ok(:'ninth'::interval, '>', '3 days'::interval, 'the last of them days after the first');

-- One bad event
UPDATE followup.provider_event SET next_try_at = NULL;     -- what is to be tried again takes no part, however slow the machine
CREATE FUNCTION t.explode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.detail = 'explode' THEN
        RAISE EXCEPTION 'exploded';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER explode BEFORE UPDATE ON followup.message FOR EACH ROW EXECUTE FUNCTION t.explode();
SELECT t.sent('ned') AS ned, t.sent('nia') AS nia, t.sent('nik') AS nik \gset
SELECT t.receive(t.event(:ned, 'delivered'), t.event(:nia, 'delivered', 'x-1', '{"detail": "explode"}'), t.event(:nik, 'unsubscribed')) \g /dev/null
SELECT is(t.apply(), '1:2/0/1', 'one bad event among others: they are applied');
SELECT is(t.state(1, :ned) || ' ' || t.state(1, :nia) || ' ' || t.lead_state(:nik), 'delivered sent unsubscribed', 'it is not');
SELECT is((error, attempts, applied_at), ('P0001: exploded'::text, 1, NULL::timestamptz), 'and kept with its error') FROM followup.provider_event WHERE event_id = 'x-1' AND next_try_at > clock_timestamp();
SELECT results_eq($$ SELECT alert, times, detail FROM followup.account_alerts(1) WHERE alert = 'events failed' $$, $$ VALUES ('events failed', 1::bigint, 'P0001: exploded') $$, 'an alert says so');
DROP TRIGGER explode ON followup.message;
UPDATE followup.provider_event SET next_try_at = clock_timestamp() WHERE event_id = 'x-1';
SELECT is(t.apply() || ' ' || t.state(1, :nia), '1:1/0/0 delivered', 'mended, it is applied');
SELECT is_empty($$ SELECT FROM followup.account_alerts(1) WHERE alert = 'events failed' $$, 'and the alert is gone');

-- In the order in which they came, and a reply alone
CREATE TABLE t.reply (no integer GENERATED ALWAYS AS IDENTITY, said text);
GRANT USAGE ON SCHEMA t TO followup_owner;
GRANT INSERT ON t.reply TO followup_owner;
CREATE OR REPLACE FUNCTION followup.apply_inbound_reply(p_account bigint, p_event jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF p_event ->> 'text' = 'explode' THEN
        RAISE EXCEPTION 'a reply that cannot be applied';
    END IF;
    INSERT INTO t.reply (said) VALUES (p_account || ' ' || (p_event ->> 'text'));
    RETURN 'token';
END $$;
SELECT t.sent('ola') AS ola \gset
SELECT t.receive(t.event(:ola, 'delivered')), t.receive('{"event_id": "r-1", "kind": "replied", "text": "first"}'), t.receive('{"event_id": "r-2", "kind": "replied", "text": "explode"}'),
       t.receive('{"event_id": "r-3", "kind": "replied", "text": "third"}'), t.receive(t.event(:ola, 'opened')) \g /dev/null
SELECT is(t.apply(), '1:1/0/0 1:1/0/0 1:0/0/1 1:1/0/0 1:1/0/0', 'each reply is applied in a transaction of its own');
SELECT results_eq('SELECT said FROM t.reply ORDER BY no', ARRAY['1 first', '1 third'], 'one that cannot be applied stops no other');
SELECT is(t.receive(t.event(:ola, 'clicked'), t.event(:ola, 'clicked'), t.event(:ola, 'clicked')) || ' ' || t.apply(2), 'stored 3 1:2/0/0 1:1/0/0', 'at most so many a call');

-- A message without a lead
SELECT t.alert(1) AS alert \gset
SELECT t.verdict(1, :alert), t.record(1, :alert, 'sent') \g /dev/null
SELECT is(t.told(:alert, 'delivered') || ' ' || t.told(:alert, 'bounced', '{"status": "5.1.1"}') || ' ' || t.told(:alert, 'complained'), 'delivered bounced complained', 'an alert''s events move the alert alone');

-- The one-call form
SELECT t.sent('pam') AS pam \gset
SELECT ok(followup.record_event(1, 'sandbox', 'o-1', 'bounced', :pam, clock_timestamp(), '{"provider_type": "postmark", "type": "SoftBounce"}'), 'record_event takes a typed event too');
SELECT is(t.lead_messages(:pam), 'one:bounced two:cancelled one:scheduled', 'and reads the provider''s words');
SELECT is(t.apply(), '', 'nothing is left for the inbox');
SELECT throws_ok('SELECT followup.record_event(1, ''p'', ''e'', ''replied'', NULL, now())', '22023', NULL, 'but no reply');

SELECT throws_ok('SELECT followup.apply_inbox(' || l || ')', '22023', NULL, 'a limit of ' || l) FROM unnest(ARRAY['0', '1001', 'NULL']) AS l;
SELECT is(followup.event_instant(i), x::timestamptz, coalesce(i, 'no instant')) FROM (VALUES ('2026-02-22T23:41:12.126Z', '2026-02-22 23:41:12.126+00'), ('2026-02-22T23:41:12+05:30', '2026-02-22 18:11:12+00'),
    ('2026-02-30T00:00:00Z', NULL), ('tomorrow', NULL), ('1771803600', NULL), ('', NULL), (NULL, NULL)) AS v (i, x);
SELECT is_empty('SELECT * FROM followup.invariants(true) WHERE broken > 0', 'everything holds that must');
SELECT * FROM finish();
