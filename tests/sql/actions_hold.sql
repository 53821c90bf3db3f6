-- hold, release, reschedule, set_status, reassign, reactivate: what each writes and refuses.
BEGIN;
\ir support/rules_world.sql
SELECT plan(79);
CREATE FUNCTION t.said(r followup.action_result) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', CASE WHEN r.done THEN 'yes' ELSE concat_ws('/', r.reason, r.sub_state) END,
                     to_char(r.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')) $$;

-- Hold
SELECT t.started() AS l \gset
SELECT t.live(:l) AS m \gset
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.hold(1, ARRAY[:l], '2026-03-10 10:00+00', p_note => 'trade fair') AS r), 'yes 2026-03-10 10:00', 'hold moves what is scheduled behind it');
SELECT is(t.live(:l), :m::bigint, 'the message keeps its id');
SELECT is((SELECT actor || ' ' || note FROM followup.activity WHERE lead_id = :l AND action = 'hold'), 'sql:' || session_user || ' trade fair', 'a hold is in the record');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.hold(1, ARRAY[:l], '2026-03-12 10:00+00') AS r), 'yes 2026-03-12 10:00', 'a second hold replaces the first');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.hold(1, ARRAY[:l], '2026-03-09 10:00+00') AS r), 'yes 2026-03-09 10:00', 'and may be shorter');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.release(1, ARRAY[:l]) AS r), 'yes 2026-03-02 08:00', 'released: when it would have gone');
SELECT is(t.live(:l), :m::bigint, 'still the same message');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.release(1, ARRAY[:l]) AS r), 'not_held', 'a second release: not_held');
SELECT is((SELECT due_at FROM followup.hold(1, ARRAY[:l])), 'infinity'::timestamptz, 'without an end: until release');
SELECT is(followup.conversation_status(1, :l), 'Next message held until somebody says when', 'Conversation Status says so');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.release(1, ARRAY[:l]) AS r), 'yes 2026-03-02 08:00', 'and released');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.hold(1, ARRAY[:l], '2026-03-02 08:00+00') AS r), 'past_instant', 'a hold that is over at once');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.hold(1, ARRAY[t.lead(), t.lead_in('processed/completed'), 99999], '2027-01-01') AS r), 'inactive,inactive,not_found', 'only active leads are held');
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS m \gset
SELECT is((SELECT (done, message_id, in_flight)::text FROM followup.hold(1, ARRAY[:l], now() + '1 year')), format('(t,,{%s})', :m), 'a hold lists what is in flight');
UPDATE followup.conversation SET hold_until = '2026-04-01 06:00+00' WHERE lead_id = :l;
SELECT t.finish(:l) AS n \gset
SELECT is(t.due(:l), '2026-04-01 06:00', 'and what comes next is planned behind it');
-- a hold that a late message got from its account ends the same way
SET ROLE followup_owner;
UPDATE followup.conversation SET hold_until = NULL WHERE lead_id = :l;
UPDATE followup.message SET due_at = 'infinity' WHERE lead_id = :l AND state = 'scheduled';
RESET ROLE;
SELECT is((SELECT done FROM followup.release(1, ARRAY[:l])), true, 'release takes back what late_action held');
SELECT isnt(t.due(:l), NULL, 'it has a time again');
-- hold and release of step b, whose delay counts from the step before
SELECT t.started() AS l \gset
SELECT t.finish(:l) AS m, t.due(:l) AS due \gset
SELECT followup.hold(1, ARRAY[:l], followup.now() + '20 days') \gset h_
SELECT followup.release(1, ARRAY[:l]) \gset h_
SELECT is(t.due(:l), (SELECT to_char(base_at + delay, 'YYYY-MM-DD HH24:MI') FROM followup.message WHERE id = :m), 'a held next step goes back to its own time');

-- Reschedule
SET test.now = '2026-03-02 08:00+00';
SELECT t.started() AS l \gset
SELECT t.live(:l) AS m \gset
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reschedule(1, ARRAY[:m], '2026-03-05 09:00+00') AS r), 'yes 2026-03-05 09:00', 'reschedule');
SELECT is((SELECT string_agg(due_at::date::text, ' ' ORDER BY due_at) FROM followup.preview(1, :l)), '2026-03-05 2026-03-07 2026-03-10', 'what follows is counted from there');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reschedule(1, ARRAY[:m]) AS r), 'yes 2026-03-02 08:00', 'send now is now');
INSERT INTO followup.send_window SELECT 1, d, '12:00', '17:00' FROM generate_series(1, 5) AS d;
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reschedule(1, ARRAY[:m]) AS r), 'yes 2026-03-02 11:00', 'through the send window');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reschedule(1, ARRAY[:m], p_forced => true) AS r), 'note_required', 'forced needs a note');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reschedule(1, ARRAY[:m], p_forced => true, p_note => '  ') AS r), 'note_required', 'and a blank one is none');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reschedule(1, ARRAY[:m], p_forced => true, p_note => 'on the phone') AS r), 'yes 2026-03-02 08:00', 'forced: now, whatever the window says');
SELECT ok((SELECT forced FROM followup.message WHERE id = :m), 'and the claim will not ask the window either');
DELETE FROM followup.send_window WHERE account_id = 1;
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reschedule(1, ARRAY[:m], '2026-03-02 07:00+00') AS r), 'past_instant', 'not into the past');
SELECT throws_ok(format('SELECT followup.reschedule(1, ARRAY[%s], ''infinity'')', :m), '22023', NULL, 'not to never');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reschedule(1, ARRAY[:m, 99999, :m], '2026-03-04 07:00+00') AS r), 'yes 2026-03-04 07:00,not_found,yes 2026-03-04 07:00', 'one row a message asked for, in that order');
SELECT followup.hold(1, ARRAY[:l], '2026-03-20 00:00+00') \gset h_
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reschedule(1, ARRAY[:m]) AS r), 'held', 'a held one is released first');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reschedule(1, ARRAY[:m], '2026-03-21 00:00+00') AS r), 'yes 2026-03-21 00:00', 'behind the hold it may go');
SELECT followup.release(1, ARRAY[:l]) \gset h_
SELECT t.claim(:l) AS m \gset
SELECT is((SELECT (reason, in_flight)::text FROM followup.reschedule(1, ARRAY[:m])), format('(in_flight,{%s})', :m), 'what has left cannot be moved');
SELECT is((SELECT string_agg(t.said(r), ',') FROM t.started() AS l, LATERAL (SELECT t.live(l) AS m FROM followup.stop_messaging(1, ARRAY[l])) AS s, followup.reschedule(1, ARRAY[s.m]) AS r), 'not_found', 'nothing is live after a stop');
-- Forced, and held: it waits as any other does, and neither the hold nor what a claim made of it outlives the release
SELECT t.started() AS l \gset
SELECT t.live(:l) AS m \gset
SELECT followup.reschedule(1, ARRAY[:m], '2026-03-02 09:00+00', true, p_note => 'on the phone') \gset h_
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.hold(1, ARRAY[:l], '2026-03-20 06:00+00') AS r), 'yes 2026-03-20 06:00', 'a forced message waits behind a hold');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.release(1, ARRAY[:l]) AS r), 'yes 2026-03-02 09:00', 'released: at its instant again');
SELECT is((SELECT due_at FROM followup.hold(1, ARRAY[:l])), 'infinity'::timestamptz, 'and behind one without an end');
SET test.now = '2026-03-02 09:30+00';
SELECT count(*) FROM followup.acquire_leases('00000000-0000-0000-0000-00000000000a', NULL, 600000) \gset h_
SELECT is((SELECT verdict FROM followup.claim_messages('00000000-0000-0000-0000-00000000000a', (SELECT array_agg(shard ORDER BY shard) FROM followup.lease),
              (SELECT array_agg(epoch ORDER BY shard) FROM followup.lease), ARRAY[1], ARRAY[:m], 'sandbox')), 'gone', 'its instant comes: it is not claimed');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.release(1, ARRAY[:l]) AS r), 'yes 2026-03-02 09:30', 'released: now');
SET ROLE followup_owner;
UPDATE followup.message SET due_at = 'infinity', base_at = 'infinity', planned_reason = 'held: it was to leave long ago' WHERE id = :m;
RESET ROLE;
UPDATE followup.account SET timezone = 'Europe/London' WHERE id = 1;
UPDATE followup.account SET timezone = 'Europe/Berlin' WHERE id = 1;
SELECT is((SELECT due_at FROM followup.message WHERE id = :m), 'infinity'::timestamptz, 'what late_action held waits for a person, whatever is planned anew');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.release(1, ARRAY[:l]) AS r), 'yes 2026-03-02 09:30', 'the same of one that late_action held');
SET ROLE followup_owner;
UPDATE followup.message SET attempts = 1, due_at = '2026-03-02 09:20+00', not_before = '2026-03-02 09:20+00', forced = false WHERE id = :m;
RESET ROLE;
SELECT followup.hold(1, ARRAY[:l]) \gset h_
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.release(1, ARRAY[:l]) AS r), 'yes 2026-03-02 09:30', 'and of one that was tried before');
SELECT is_empty($$ SELECT * FROM followup.wrong_message WHERE invariant = 'never_due' $$, 'nothing is left without a due time');
SET test.now = '2026-03-02 08:00+00';
SELECT t.started() AS l \gset
SELECT t.live(:l) AS m \gset
SELECT followup.stop_messaging(1, ARRAY[:l]) \gset h_
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reschedule(1, ARRAY[:m]) AS r), 'not_scheduled', 'a cancelled message is not revived');
INSERT INTO followup.message (account_id, id, kind, recipient, due_at) VALUES (1, 7001, 'alert', 'rita@a.example', '2026-04-01');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reschedule(1, ARRAY[7001]) AS r), 'yes 2026-03-02 08:00', 'an alert is moved too');

-- A due time written by hand is the same, without the record
SELECT t.started() AS l \gset
SELECT t.live(:l) AS m \gset
INSERT INTO followup.send_window SELECT 1, d, '12:00', '17:00' FROM generate_series(1, 5) AS d;
UPDATE followup.message SET due_at = '2026-03-07 09:00+00' WHERE id = :m;
SELECT is(t.due(:l), '2026-03-09 11:00', 'a due time written by hand goes through the window: Saturday becomes Monday');
DELETE FROM followup.send_window WHERE account_id = 1;
SELECT is(t.due(:l), '2026-03-07 09:00', 'and back to what was asked for when the window goes');
SELECT is(t.live(:l), :m::bigint, 'by the same message');
INSERT INTO followup.send_window SELECT 1, d, '12:00', '17:00' FROM generate_series(1, 5) AS d;
UPDATE followup.message SET due_at = '2026-03-08 09:00+00', forced = true WHERE id = :m;
SELECT is(t.due(:l), '2026-03-08 09:00', 'forced by hand: at that instant');
DELETE FROM followup.send_window WHERE account_id = 1;
SELECT is(t.due(:l), '2026-03-08 09:00', 'whatever is planned anew');

-- Status
SELECT t.started() AS l \gset
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.set_status(1, ARRAY[:l, 99999], 'satisfied') AS r), 'yes,not_found', 'set_status');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'active/sequence/satisfied a:scheduled', 'the status alone changes');
SELECT is((SELECT status_at FROM followup.lead WHERE id = :l), followup.now(), 'with its time');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.set_status(1, ARRAY[t.lead_in('stopped'), t.lead()], 'disqualified') AS r), 'yes,yes', 'in any state');
SELECT throws_ok(format('SELECT followup.set_status(1, ARRAY[%s], NULL)', :l), '22023', NULL, 'no status is none');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.set_status(1, ARRAY[:l], 'satisfied', p_actor => 1) AS r), 'not_own_lead', 'a rep only on own leads');

-- Reassign
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reassign(1, ARRAY[:l, 99999], 1, p_actor => 2) AS r), 'yes,not_found', 'reassign');
SELECT is((SELECT rep_id FROM followup.lead WHERE id = :l), 1::bigint, 'the lead has another representative');
SELECT is((SELECT detail FROM followup.activity WHERE lead_id = :l AND action = 'reassign'), '{"from": null, "to": 1}', 'the record has both');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.set_status(1, ARRAY[:l], 'hot_lead', p_actor => 1) AS r), 'yes', 'who may work on it now');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reassign(1, ARRAY[:l], 2, p_actor => 1) AS r), 'not_permitted', 'a rep does not reassign');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reassign(1, ARRAY[:l], NULL) AS r), 'yes', 'to nobody');
SELECT throws_ok(format('SELECT followup.reassign(1, ARRAY[%s], 4)', :l), '22023', 'account 1 has no user 4', 'not to another account''s user');

-- Reactivate
SELECT t.started() AS l \gset
SELECT t.finish(:l) AS m \gset
SELECT t.due(:l) AS due \gset
SELECT followup.stop_messaging(1, ARRAY[:l]) \gset h_
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reactivate(1, ARRAY[:l]) AS r), 'note_required', 'reactivate needs a note');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reactivate(1, ARRAY[:l], 2, 'x') AS r), 'not_permitted', 'and an administrator');
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reactivate(1, ARRAY[:l], 3, 'a mistake') AS r), 'yes ' || :'due', 'what was cancelled goes at its old time');
SELECT is(t.messages(:l), 'a:sent b:cancelled b:scheduled', 'as a new message');
SELECT is(t.state(:l), 'active/sequence', 'the lead is active');
SELECT is((SELECT (state, ended_reason, stop_seq)::text FROM followup.conversation WHERE lead_id = :l), '(active,,)', 'its conversation goes on');
SELECT followup.stop_messaging(1, ARRAY[:l]) \gset h_
SELECT set_config('test.now', '2026-05-01 10:00+00', false) \gset h_
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reactivate(1, ARRAY[:l], 3, 'a mistake') AS r), 'yes 2026-05-01 10:00', 'a time that has passed: now');
SELECT t.finish(:l) AS m \gset
SELECT is(t.messages(:l), 'a:sent b:cancelled b:cancelled b:sent c:scheduled', 'and the sequence goes on');
-- a follow-up that was stopped is a follow-up again
SELECT t.lead_in('active/follow_up') AS l \gset
SELECT t.due(:l) AS due \gset
SELECT followup.stop_messaging(1, ARRAY[:l]) \gset h_
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reactivate(1, ARRAY[:l], 3, 'a mistake') AS r), 'yes ' || :'due', 'a follow-up at its old time');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'active/follow_up a:cancelled f:cancelled f:scheduled', 'active/follow_up again');
-- in flight when it was stopped
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS m \gset
SELECT followup.stop_messaging(1, ARRAY[:l]) \gset h_
SELECT is((SELECT in_flight FROM followup.reactivate(1, ARRAY[:l], 3, 'a mistake')), ARRAY[:m]::bigint[], 'what was in flight is listed');
SELECT is(t.messages(:l), '(a:sending) b:scheduled', 'and the one after it is planned, not itself again');
-- processed, then stopped by a rule
SELECT t.lead_in('processed/completed') AS l \gset
UPDATE followup.lead SET crm_source = 'HigherGear', crm_status = '9' WHERE id = :l;
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reactivate(1, ARRAY[:l], 3, 'a mistake') AS r), 'yes', 'a processed lead');
SELECT is(t.state(:l) || ' ' || (SELECT ended_reason FROM followup.conversation WHERE lead_id = :l), 'processed/completed completed', 'is processed again');
SELECT t.lead() AS l \gset
UPDATE followup.lead SET crm_source = 'HigherGear', crm_status = '9' WHERE id = :l;
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reactivate(1, ARRAY[:l], 3, 'a mistake') AS r) || t.state(:l), 'yesnew', 'a new lead is new again');
SELECT is((SELECT string_agg(t.said(r), ',') FROM unnest(ARRAY['new', 'active/sequence', 'processed/responded', 'unsubscribed', 'deactivated/Retired']) WITH ORDINALITY AS s (state, no),
                  LATERAL (SELECT t.lead_in(s.state) AS l OFFSET 0) AS x, followup.reactivate(1, ARRAY[x.l], 3, 'n') AS r),
          'never_started,already_active,inactive,unsubscribed,deactivated/Retired', 'only stopped leads are reactivated');
SELECT t.lead_in('stopped') AS l \gset
SELECT count(*) AS n FROM followup.suppress(1, (SELECT email FROM followup.lead WHERE id = :l), 'asked', 'test') \gset
SELECT is((SELECT string_agg(t.said(r), ',') FROM followup.reactivate(1, ARRAY[:l], 3, 'n') AS r), 'suppressed', 'not a suppressed address');
SELECT * FROM finish();
ROLLBACK;
