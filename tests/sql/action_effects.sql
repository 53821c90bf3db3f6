-- What the five actions write: conversations, messages, leads, activity; and what they do to a message in flight.
BEGIN;
\ir support/rules_world.sql
SELECT plan(71);

-- Start
SELECT t.lead() AS l \gset
SELECT is((r.done, r.message_id IS NOT NULL, r.due_at, r.in_flight)::text, '(t,t,"2026-03-02 08:00:00+00",{})', 'start answers its message')
  FROM followup.start_follow_up(1, ARRAY[:l], 1, 1) AS r;
SELECT is(t.state(:l), 'active/sequence', 'a started lead is active/sequence');
SELECT is(t.messages(:l), 'a:scheduled', 'start schedules the first step, and that alone');
SELECT is((SELECT (state, version, sequence_id, assistant_id)::text FROM followup.conversation WHERE lead_id = :l),
          '(active,1,1,1)', 'start opens a conversation');
SELECT is((SELECT (sequence_id, assistant_id)::text FROM followup.lead WHERE id = :l), '(1,1)', 'the lead keeps what it was started with');
SELECT is((SELECT string_agg(actor || ' ' || action, ',') FROM followup.activity WHERE lead_id = :l), 'sql:' || session_user || ' start', 'start is in the record');
SELECT t.lead() AS l \gset
SELECT is((SELECT due_at FROM followup.start_follow_up(1, ARRAY[:l], 2, 1, '2026-03-03 10:00+00')), '2026-03-03 11:00+00'::timestamptz,
          'start at an instant: the first delay counts from it');
SELECT is((SELECT reason FROM followup.start_follow_up(1, ARRAY[t.lead()], 1, 1, '2026-03-02 07:59+00')), 'past_instant', 'start in the past is refused');
SELECT is((SELECT reason FROM followup.start_follow_up(1, ARRAY[t.lead()], 3, 1)), 'no_steps', 'a sequence without steps starts nobody');
SELECT is((SELECT reason FROM followup.start_follow_up(1, ARRAY[t.lead()])), 'no_steps', 'no sequence named and none given: no_steps');
SELECT is((SELECT reason FROM followup.start_follow_up(1, ARRAY[t.lead()], 1)), 'no_assistant', 'two assistants and none named: no_assistant');
SELECT ok((SELECT done FROM followup.start_follow_up(2, ARRAY[t.lead(2)], 4)), 'the only assistant needs no naming');
SELECT t.lead() AS l \gset
SELECT count(*) AS n FROM followup.suppress(1, (SELECT upper(email) FROM followup.lead WHERE id = :l), 'asked by mail', 'test') \gset
SELECT is((SELECT reason FROM followup.start_follow_up(1, ARRAY[:l], 1, 1)), 'suppressed', 'a suppressed address never starts');

-- One row a lead asked for, in the order asked
SELECT t.lead() AS l1, t.started() AS l2 \gset
SELECT results_eq(format('SELECT lead_id, done, reason::text FROM followup.start_follow_up(1, ARRAY[999999, %s, %s, %s], 1, 1)', :l2, :l1, :l2),
                  format('VALUES (999999::bigint, false, ''not_found''), (%s, false, ''already_active''), (%s, true, NULL), (%s, false, ''already_active'')', :l2, :l1, :l2),
                  'one row a lead, in the order asked, the unknown and the doubled too');
SELECT is_empty('SELECT * FROM followup.start_follow_up(1, NULL, 1, 1)', 'no leads, no rows');
SELECT is((SELECT (done, reason)::text FROM followup.start_follow_up(1, ARRAY[NULL]::bigint[], 1, 1)), '(f,not_found)', 'a NULL among the leads is not found');

-- INSERT of a lead with a sequence
INSERT INTO followup.lead (account_id, id, email, sequence_id, assistant_id)
VALUES (1, 8001, 'i1@l.example', 1, 1), (1, 8002, 'i2@l.example', 1, NULL), (1, 8003, 'i3@l.example', NULL, NULL);
SELECT is(t.state(8001) || ' ' || t.messages(8001), 'active/sequence a:scheduled', 'a lead inserted with a sequence starts at once');
SELECT is(t.state(8002) || ' ' || (SELECT action || ' ' || note FROM followup.activity WHERE lead_id = 8002), 'new not_started no_assistant',
          'one that cannot start stays new, and the record says why');
SELECT is(t.state(8003), 'new', 'one without a sequence stays new');

-- Stop
SELECT t.started() AS l \gset
SELECT ok((SELECT done FROM followup.stop_messaging(1, ARRAY[:l], p_actor => 2, p_note => 'asked by phone')), 'stop');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'stopped a:cancelled', 'stop cancels what is pending');
SELECT is((SELECT (state, ended_reason, ended_by, stop_seq > 0)::text FROM followup.conversation WHERE lead_id = :l), '(ended,stopped,Max,t)',
          'stop ends the conversation, with its number in the order of stops and claims');
SELECT is(followup.conversation_status(1, :l), 'Stopped by Max', 'Conversation Status names who stopped');
SELECT is((SELECT actor || ' ' || note FROM followup.activity WHERE lead_id = :l AND action = 'stop'), 'user:2 asked by phone', 'the note of a stop is kept');

-- Stop while a message is in flight
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS m \gset
SELECT is((SELECT in_flight FROM followup.stop_messaging(1, ARRAY[:l])), ARRAY[:m]::bigint[], 'stop lists the message in flight');
SELECT is(t.messages(:l), '(a:sending)', 'stop detaches the message in flight');
SELECT ok((SELECT c.stop_seq > m.claim_seq FROM followup.message AS m JOIN followup.conversation AS c ON c.id = m.conversation_id WHERE m.id = :m),
          'no claim is above the stop of its conversation');
SELECT is((SELECT in_flight FROM followup.stop_messaging(1, ARRAY[:l])), ARRAY[:m]::bigint[], 'a refused second stop lists it too');
UPDATE followup.message SET state = 'sent', sent_at = followup.now() WHERE id = :m;
SELECT is_empty(format('SELECT * FROM followup.after_message(ARRAY[1], ARRAY[%s])', :m), 'the late result of a detached message plans nothing');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'stopped (a:sent)', 'and leaves the lead stopped');

-- Skip
SELECT t.started() AS l \gset
SELECT is((SELECT due_at FROM followup.skip_to_follow_up(1, ARRAY[:l])), followup.now() + '48 hours', 'skip schedules the follow-up 48 hours on');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'active/follow_up a:cancelled f:scheduled', 'skip cancels the sequence message and schedules the follow-up');
SELECT is((SELECT state::text FROM followup.conversation WHERE lead_id = :l), 'active', 'skip keeps the conversation');
SELECT t.started() AS l \gset
SELECT t.finish(:l) AS m \gset
SELECT t.claim(:l) AS m \gset
SELECT set_config('test.now', (followup.now() + '5 minutes')::text, false) AS later \gset
SELECT is((SELECT (in_flight, due_at)::text FROM followup.skip_to_follow_up(1, ARRAY[:l])), (ARRAY[:m]::bigint[], followup.now() + '48 hours')::text,
          'skip while a message is in flight lists it and counts from now');
SELECT is(t.messages(:l), 'a:sent (b:sending) f:scheduled', 'skip detaches the one in flight beside its own message');
UPDATE followup.account SET follow_up_delay = '3 days' WHERE id = 1;
SELECT is((SELECT due_at FROM followup.skip_to_follow_up(1, ARRAY[t.started()])), followup.now() + '72 hours', 'skip waits for the account''s follow_up_delay');
UPDATE followup.account SET follow_up_delay = '48 hours' WHERE id = 1;
SELECT is((SELECT due_at FROM followup.skip_to_follow_up(1, ARRAY[t.started()], followup.now() + '1 hour')), followup.now() + '1 hour', 'skip at an instant goes then');
SELECT t.started(2) AS l \gset
SELECT is((SELECT reason FROM followup.skip_to_follow_up(1, ARRAY[:l])), 'no_follow_up_message', 'no follow-up and no feedback message: skip is refused');
SELECT is(t.messages(:l), 's:scheduled', 'a refused skip leaves the pending message');
UPDATE followup.account SET feedback_subject = 'How was it?', feedback_body_text = 'Tell us.' WHERE id = 1;
SELECT is((SELECT done FROM followup.skip_to_follow_up(1, ARRAY[:l])), true, 'the account''s feedback message serves a sequence without one');
SELECT is((SELECT (kind, position, step_key)::text FROM followup.message WHERE id = t.live(:l)), '(follow_up,,)', 'it has no step');
SELECT is(t.finish(:l), NULL, 'nothing follows it');
SELECT is(t.state(:l), 'processed/completed', 'after it the lead is processed/completed');

-- Restart
SELECT t.started() AS l \gset
SELECT t.finish(:l) AS m \gset
SELECT is((SELECT due_at FROM followup.restart_follow_up(1, ARRAY[:l])), followup.now(), 'restart plans the first message from now');
SELECT is(t.messages(:l), 'a:sent b:cancelled a:scheduled', 'restart cancels what is pending and begins with the first message');
SELECT is((SELECT string_agg(concat_ws(':', state, ended_reason, stop_seq IS NOT NULL), ' ' ORDER BY id) FROM followup.conversation WHERE lead_id = :l),
          'ended:restarted:t active:f', 'restart ends the conversation and opens a new one');
SELECT t.claim(:l) AS m \gset
SELECT is((SELECT in_flight FROM followup.restart_follow_up(1, ARRAY[:l], p_sequence => 2, p_assistant => 2)), ARRAY[:m]::bigint[], 'restart lists what is in flight');
SELECT is(t.messages(:l), 'a:sent b:cancelled (a:sending) s:scheduled', 'restart onto another sequence');
SELECT is((SELECT (sequence_id, assistant_id)::text FROM followup.conversation WHERE lead_id = :l AND state = 'active'), '(2,2)', 'and another assistant');
SELECT is((SELECT in_flight FROM followup.stop_messaging(1, ARRAY[:l])), ARRAY[:m]::bigint[], 'a stop lists what an ended conversation has in flight');
SELECT t.lead_in('processed/completed') AS l \gset
SELECT done FROM followup.restart_follow_up(1, ARRAY[:l]) \gset
SELECT is((SELECT sequence_id FROM followup.conversation WHERE lead_id = :l AND state = 'active'), 2::bigint,
          'restart without a name keeps the sequence');
SELECT t.lead_in('deactivated/BounceRisk') AS l \gset
UPDATE followup.account SET restart_bounce_risk = true WHERE id = 1;
SELECT ok((SELECT done FROM followup.restart_follow_up(1, ARRAY[:l])), 'BounceRisk restarts where the account allows it');
SELECT is((SELECT (reason, sub_state)::text FROM followup.restart_follow_up(1, ARRAY[t.lead_in('deactivated/SpamTrap')])), '(deactivated,SpamTrap)', 'and nothing but BounceRisk');
UPDATE followup.account SET bounce_rate_limit = 0 WHERE id = 1;
SELECT is((SELECT (reason, sub_state)::text FROM followup.restart_follow_up(1, ARRAY[t.lead_in('deactivated/BounceRisk')])), '(bounce_rate,BounceRisk)',
          'and only while the bounce rate is under its limit');

-- Continue
SELECT t.started() AS l \gset
SELECT t.finish(:l) AS m \gset
SELECT (t.reply(:l)).done \gset
SELECT is(t.messages(:l), 'a:sent b:cancelled', 'the reply cancelled step b');
SELECT is((SELECT due_at FROM followup.continue_follow_up(1, ARRAY[:l])), followup.now(), 'continue goes on now');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'active/sequence/lead_to_review a:sent b:cancelled b:scheduled', 'with the first step that was not sent');
SELECT is((SELECT string_agg(concat_ws(':', state, ended_reason, stop_seq), ' ') FROM followup.conversation WHERE lead_id = :l), 'active', 'in the conversation it had');
SELECT t.finish(:l) AS m \gset
SELECT is(t.messages(:l), 'a:sent b:cancelled b:sent c:scheduled', 'the rest goes on by its delays');
SELECT t.claim(:l) AS m \gset
SELECT (t.reply(:l)).in_flight AS f \gset
SELECT is(:'f'::bigint[], ARRAY[:m]::bigint[], 'a reply lists the message in flight');
SELECT is((SELECT (reason, in_flight)::text FROM followup.continue_follow_up(1, ARRAY[:l])), ('no_more_messages'::text, ARRAY[:m]::bigint[])::text,
          'a message in flight counts as sent: continue never sends it again');
SELECT t.lead_in('processed/completed') AS l \gset
INSERT INTO followup.sequence_version (account_id, sequence_id, version) VALUES (1, 2, 2);
INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, subject, body_text)
VALUES (1, 2, 2, 'sequence', 1, 'before', '0', 'Before', 'B'), (1, 2, 2, 'sequence', 2, 's', '0', 'Step s', 'S'), (1, 2, 2, 'sequence', 3, 'new', '1 day', 'New', 'N');
SELECT is((SELECT due_at FROM followup.continue_follow_up(1, ARRAY[:l], followup.now() + '2 days')), followup.now() + '2 days', 'continue at an instant goes then');
SELECT is((SELECT (m.step_key, m.position, m.version, c.version)::text FROM followup.message AS m JOIN followup.conversation AS c ON c.id = m.conversation_id WHERE m.id = t.live(:l)),
          '(new,3,2,2)', 'continue moves to the newest version: the step after the last one sent, by its key');
SELECT t.lead_in('processed/failed') AS l \gset
SELECT ok((SELECT done FROM followup.continue_follow_up(1, ARRAY[:l])), 'a lead whose message failed can go on');
SELECT is(t.messages(:l), 'a:failed a:scheduled', 'with the message that failed');

-- A due time typed by hand
SELECT t.started() AS l \gset
SELECT t.live(:l) AS m \gset
UPDATE followup.message SET due_at = due_at + '3 hours' WHERE id = :m;
SELECT is((t.live(:l), t.due(:l))::text, format('(%s,"%s")', :m, to_char(followup.now() + '3 hours', 'YYYY-MM-DD HH24:MI')), 'a due time changed by hand keeps the message');

-- Many at once
CREATE TABLE t.many AS SELECT array_agg(t.lead()) AS leads FROM generate_series(1, 200);
SELECT is((SELECT count(*) FILTER (WHERE r.done) FROM t.many, followup.start_follow_up(1, leads, 1, 1) AS r), 200::bigint, 'a bulk starts every lead');
SELECT is((SELECT count(*) FILTER (WHERE r.done) FROM t.many, followup.restart_follow_up(1, leads || t.lead_in('stopped')) AS r), 200::bigint, 'one that is refused holds up nobody');
SELECT is((SELECT count(*) || ' ' || count(DISTINCT lead_id) FROM t.many, followup.message WHERE lead_id = ANY (leads) AND pending), '200 200', 'each has one message');

-- The invariant behind it all
SELECT is_empty($$ SELECT c.id FROM followup.conversation AS c
                    WHERE (c.state = 'active') <> (1 = (SELECT count(*) FROM followup.message AS m
                                                         WHERE m.conversation_id = c.id AND m.pending AND NOT m.detached)) $$,
                'an active conversation has exactly one live message, an ended one none');
SELECT is_empty($$ SELECT l.id FROM followup.lead AS l
                    WHERE (l.state = 'active') <> EXISTS (SELECT FROM followup.conversation AS c WHERE c.lead_id = l.id AND c.state = 'active') $$,
                'a lead is active exactly while it has an active conversation');
SELECT * FROM finish();
ROLLBACK;
