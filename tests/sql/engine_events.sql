-- record_event: what providers tell, once each, only forward.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT plan(39);
-- One event about a message, in a named state before it; the answer is the state after it.
CREATE FUNCTION t.event(p_message bigint, p_kind followup.event_kind, p_id text = gen_random_uuid()::text, p_payload jsonb = NULL) RETURNS text LANGUAGE sql AS $$
    SELECT followup.record_event(1, 'sandbox', p_id, p_kind, p_message, clock_timestamp(), p_payload)::text $$;
CREATE FUNCTION t.sent(p_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_message bigint := t.lead(1, p_name);
BEGIN
    PERFORM t.verdict(1, v_message);
    PERFORM t.record(1, v_message, 'sent');
    RETURN v_message;
END $$;

SELECT t.sent('ada') AS ada \gset
SELECT is(t.event(:ada, 'delivered', 'e-1'), 'true', 'a new event is taken');
SELECT is(t.state(1, :ada), 'delivered', 'sent -> delivered');
SELECT is(t.event(:ada, 'delivered', 'e-1'), 'false', 'told again: known');
SELECT is(t.event(:ada, 'bounced', 'e-1'), 'false', 'the id decides, not what it says');
SELECT is(count(*), 1::bigint, 'stored once') FROM followup.provider_event;
SELECT isnt(applied_at, NULL, 'and applied') FROM followup.provider_event WHERE event_id = 'e-1';
SELECT ok(followup.record_event(1, 'another', 'e-1', 'delivered', :ada, clock_timestamp()), 'another provider''s e-1 is another event');
SELECT ok(followup.record_event(2, 'sandbox', 'e-1', 'delivered', :ada, clock_timestamp()), 'and so is another account''s');
SELECT is(applied_at, NULL, 'which has no such message: stored, not applied') FROM followup.provider_event WHERE account_id = 2;
SELECT is(t.event(NULL, 'opened', 'e-2'), 'true', 'an event without a message is stored');

-- A provider's clock that is months behind
SELECT t.lead(1, 'tom') AS tom \gset
SELECT t.verdict(1, :tom), followup.record_event(1, 'sandbox', 'e-3', 'delivered', :tom, clock_timestamp() - interval '8 months') \g /dev/null
SELECT cmp_ok(sent_at, '>=', due_at, 'what a wrong clock says was delivered long ago did not leave before it was claimed') FROM followup.message WHERE id = :tom;

SELECT is(t.event(:ada, 'opened'), 'true', 'opened');
SELECT is(t.event(:ada, 'clicked'), 'true', 'clicked');
SELECT is((opens, clicks), (1, 1), 'are counted') FROM followup.lead WHERE id = t.lead_of(1, :ada);
SELECT is(t.event(:ada, 'failed'), 'true', 'failed after delivered is stored');
SELECT is(t.state(1, :ada), 'delivered', 'and moves nothing back');

SELECT is(t.event(:ada, 'bounced', p_payload => '{"bounce_kind": "hard", "detail": "mailbox gone"}'), 'true', 'a hard bounce');
SELECT is((state::text, detail), ('bounced'::text, 'mailbox gone'::text), 'delivered -> bounced') FROM followup.message WHERE id = :ada;
SELECT is(sub_state::text, 'BounceDeactivated', 'the lead is deactivated') FROM followup.lead WHERE id = t.lead_of(1, :ada);
SELECT is(t.event(:ada, 'delivered'), 'true', 'delivered after bounced is stored');
SELECT is(t.state(1, :ada), 'bounced', 'and moves nothing back');
SELECT is(t.event(:ada, 'complained'), 'true', 'a complaint after a bounce');
SELECT is(t.state(1, :ada), 'complained', 'bounced -> complained');

SELECT t.sent('ben') AS ben \gset
SELECT is(t.event(:ben, 'bounced'), 'true', 'a bounce without a reason');
SELECT is(sub_state::text, 'CannotDetermine', 'is one that cannot be determined') FROM followup.lead WHERE id = t.lead_of(1, :ben);

SELECT t.sent('cid') AS cid \gset
SELECT is(t.event(:cid, 'complained'), 'true', 'a complaint');
SELECT is(state::text, 'unsubscribed', 'unsubscribes') FROM followup.lead WHERE id = t.lead_of(1, :cid);
SELECT isnt_empty('SELECT 1 FROM followup.suppression WHERE account_id = 1 AND address = ''cid@people.example''', 'and suppresses the address');
SELECT is_empty('SELECT 1 FROM followup.message WHERE state = ''scheduled'' AND lead_id = ' || t.lead_of(1, :cid), 'nothing is scheduled for it');

SELECT t.sent('dan') AS dan \gset
SELECT is(t.event(:dan, 'unsubscribed'), 'true', 'an unsubscribe');
SELECT is(state::text, 'unsubscribed', 'unsubscribes too') FROM followup.lead WHERE id = t.lead_of(1, :dan);

-- first of all to tell
SELECT t.lead(1, 'eva') AS eva, t.lead(1, 'fay', '20 s') AS fay \gset
SELECT is(count(*), 2::bigint, 'eva and fay are claimed') FROM t.claim(1, :eva, :fay) WHERE verdict = 'claimed';
SELECT is(t.event(:eva, 'failed', p_payload => '{"detail": "dropped"}'), 'true', 'failed, before the result');
SELECT is((t.state(1, :eva), (t.conversation_of(1, :eva)).ended_reason::text), ('failed'::text, 'failed'::text), 'sending -> failed, and the conversation ends');
SELECT t.set(1, :fay, 'claimed_at = claimed_at - interval ''10 s''') \g /dev/null
SELECT ok(followup.record_event(1, 'sandbox', 'late', 'delivered', :fay, clock_timestamp() - '3 s'::interval), 'delivered three seconds ago');
SELECT cmp_ok(sent_at, '<=', followup.now() - '3 s'::interval, 'was sent then') FROM followup.message WHERE id = :fay;

SELECT throws_ok('SELECT followup.record_event(77, ''p'', ''e'', ''opened'', NULL, now())', '22023', 'record_event: there is no account 77', 'an unknown account is named');
SELECT throws_ok('SELECT followup.record_event(1, NULL, ''e'', ''opened'', NULL, now())', '22023', NULL, 'a provider is needed');
SELECT throws_ok('SELECT followup.record_event(1, ''p'', NULL, ''opened'', NULL, now())', '22023', NULL, 'an event id is needed');
SELECT * FROM finish();
