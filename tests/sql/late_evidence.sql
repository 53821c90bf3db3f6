-- An event that comes late still counts: for a message that was scheduled again, and for the id under which it arrived. And
-- events are kept for as long as retention says.
\ir support/engine.sql
\ir support/inbox.sql
\o /dev/null
SELECT t.account(1);
\o
SELECT plan(24);

-- In doubt, then taken for not sent: scheduled again.
CREATE FUNCTION t.again(p_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_message bigint := t.lead(1, p_name);
BEGIN
    PERFORM t.verdict(1, v_message);
    PERFORM t.record(1, v_message, 'in_doubt');
    UPDATE followup.account SET in_doubt_policy = 'resend' WHERE id = 1;
    PERFORM followup.settle_by_policy(t.me(), t.shards(), t.epochs(), 0, 100);
    RETURN v_message;
END $$;
SELECT t.again(n) AS m FROM unnest(ARRAY['ada', 'ben', 'cid', 'dan', 'eva', 'fay', 'gus']) AS n \g /dev/null
SELECT (array_agg(id ORDER BY id))[1] AS ada, (array_agg(id ORDER BY id))[2] AS ben, (array_agg(id ORDER BY id))[3] AS cid, (array_agg(id ORDER BY id))[4] AS dan,
       (array_agg(id ORDER BY id))[5] AS eva, (array_agg(id ORDER BY id))[6] AS fay, (array_agg(id ORDER BY id))[7] AS gus
  FROM followup.message WHERE state = 'scheduled' AND attempts = 1 \gset
SELECT is(t.lead_messages(:ada), 'one:scheduled', 'it would be sent again');
SELECT is(t.told(:ada, 'accepted') || ' ' || t.lead_messages(:ada), 'sent one:sent two:scheduled', 'accepted under the first key: it is not sent again, and the next is planned');
SELECT is(t.verdict(1, :ada), 'gone', 'a claim finds it gone');
SELECT is((detail, due_at <= sent_at), ('was to be sent again; the provider told that it had left'::text, true), 'it says why') FROM followup.message WHERE id = :ada;
SELECT is(t.told(:ben, 'delivered') || ' ' || t.lead_messages(:ben), 'delivered one:delivered two:scheduled', 'delivered');
SELECT is(t.told(:cid, 'complained') || ' ' || t.lead_state(:cid), 'complained unsubscribed', 'complained');
SELECT is(t.told(:dan, 'bounced', '{"status": "5.1.1"}') || ' ' || t.lead_state(:dan) || ' ' || t.lead_messages(:dan), 'bounced deactivated/BounceDeactivated one:bounced two:cancelled', 'bounced');
SELECT is(t.told(:eva, 'bounced', '{"status": "4.2.2"}') || ' ' || t.lead_messages(:eva), 'bounced one:bounced two:cancelled one:scheduled', 'a soft bounce: sent again because of it, later');
SELECT is(t.told(:fay, 'failed', '{"reason": "dropped"}') || ' ' || t.lead_messages(:fay), 'scheduled one:scheduled', 'not sent, says the provider: it goes as it was planned');
SELECT is(t.verdict(1, :fay), 'claimed', 'with the next key');
SELECT is(t.told(t.lead(1, 'hal'), 'accepted'), 'scheduled', 'a message that was never posted is not settled by anything');
SELECT throws_ok(format('UPDATE followup.message SET state = ''sent'' WHERE id = %s', t.lead(1, 'ian')), '23514', NULL, 'nor by hand');

-- SES writes a Message-ID of its own: who was settled by the event alone is known by it too
SELECT t.lead(1, 'jan') AS jan, t.sent('kim', '0100-kim') AS kim \gset
SELECT t.verdict(1, :jan), t.record(1, :jan, 'in_doubt') \g /dev/null
SELECT is(t.told(:jan, 'accepted', '{"provider_type": "ses", "provider_message_id": "0100-jan", "rfc_message_id": "<0100-jan@eu-west-1.amazonses.com>"}'), 'sent', 'settled by the event');
SELECT is((provider_message_id, rfc_message_id), ('0100-jan'::text, '<0100-jan@eu-west-1.amazonses.com>'::text), 'the id that arrived is the message''s') FROM followup.message WHERE id = :jan;
SELECT is((m.message_id, m.matched_by), (:jan::bigint, 'references'::text), 'and a reply that refers to it is the lead''s')
  FROM followup.match_reply(1, '{"from": "elsewhere@people.example", "references": ["<0100-jan@eu-west-1.amazonses.com>"]}') AS m;
SELECT rfc_message_id AS before FROM followup.message WHERE id = :kim \gset
SELECT is(t.told(:kim, 'delivered', '{"provider_type": "ses", "rfc_message_id": "<0100-kim@eu-west-1.amazonses.com>"}'), 'delivered', 'an answer that came before knew better');
SELECT is(rfc_message_id, :'before', 'its id is kept') FROM followup.message WHERE id = :kim;

-- Retention
SELECT is(keep, interval '90 days', 'events are kept for 90 days') FROM followup.retention WHERE what = 'provider_event';
CREATE FUNCTION t.beat() RETURNS bigint LANGUAGE sql AS $$
    UPDATE followup.inbox_beat SET beat_at = clock_timestamp() - interval '11 s';
    SELECT count(*) FROM followup.apply_inbox() $$;
\o /dev/null
DELETE FROM followup.provider_event;
SELECT t.receive(t.event(:ada, 'opened', 'old')), t.receive(t.event(:ada, 'opened', 'young')), t.receive(t.event(NULL, 'opened', 'tried')), t.apply();
INSERT INTO followup.webhook (account_id, source, events, received_at, error) VALUES (1, 'main', '[7]', clock_timestamp() - interval '91 days', 'no event'), (1, 'main', '[8]', clock_timestamp(), 'no event');
UPDATE followup.provider_event SET received_at = received_at - interval '91 days' WHERE event_id IN ('old', 'tried');
SELECT t.beat();
\o
SELECT results_eq('SELECT event_id FROM followup.provider_event ORDER BY 1', ARRAY['tried', 'young'], 'what was applied goes when its time is over, what is still tried does not');
SELECT results_eq('SELECT events::text FROM followup.webhook', ARRAY['[8]'], 'nor what could not be read a short while ago');
UPDATE followup.retention SET keep = '7 days';
UPDATE followup.provider_event SET received_at = received_at - interval '8 days' WHERE event_id = 'young';
SELECT t.beat() \g /dev/null
SELECT results_eq('SELECT event_id FROM followup.provider_event ORDER BY 1', ARRAY['tried'], 'the period is data');
SELECT throws_ok('UPDATE followup.retention SET keep = ''6 days''', '23514', NULL, 'no shorter than a week: providers repeat for days');
SELECT results_eq('SELECT invariant FROM followup.invariants(true) WHERE broken > 0', ARRAY['sent_unproved'], 'a message that its event alone settled is proved by it while it is kept');
UPDATE followup.message SET finished_at = finished_at - interval '2 days' WHERE state IN ('sent', 'delivered');
SELECT is_empty('SELECT * FROM followup.invariants(true) WHERE broken > 0', 'and needs no proof afterwards');
SELECT * FROM finish();
