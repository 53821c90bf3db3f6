-- record_results: what a result does to its message, when it counts, and what is due next.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT plan(96);

-- sent
SELECT t.lead(1, 'ada') AS ada \gset
\o /dev/null
SELECT t.verdict(1, :ada);
CREATE TABLE t.first AS SELECT * FROM t.record(1, :ada, 'sent', p_provider_id => 'p-1', p_ended => clock_timestamp() - '2 s'::interval);
\o
SELECT ok(accepted, 'a result of the POST under way is accepted') FROM t.first;
SELECT is(t.state(1, :ada), 'sent', 'sent');
SELECT is(provider_message_id, 'p-1', 'the provider''s id is kept') FROM followup.message WHERE id = :ada;
SELECT cmp_ok(sent_at, '<=', followup.now() - '2 s'::interval, 'sent_at is when the POST ended') FROM followup.message WHERE id = :ada;
SELECT is((subject, text), ('Subject as sent'::text, 'Text as sent'::text), 'the body as it left') FROM followup.message_body WHERE message_id = :ada;
SELECT is((no, post, outcome::text), (1, 1, 'sent'::text), 'one attempt') FROM followup.attempt WHERE message_id = :ada;
SELECT is(next_due_at, (SELECT due_at + '2 days'::interval FROM followup.message WHERE id = :ada), 'the next step is due its delay after this one''s planned time') FROM t.first;
SELECT is(t.state(1, next_message_id), 'scheduled', 'and is scheduled') FROM t.first;
CREATE TABLE t.before AS SELECT m::text FROM followup.message m UNION ALL SELECT c::text FROM followup.conversation c UNION ALL SELECT a::text FROM followup.attempt a UNION ALL SELECT l::text FROM followup.lead l;
SELECT results_eq(format('SELECT * FROM t.record(1, %s, ''sent'', p_provider_id => ''p-1'')', :ada), 'TABLE t.first', 'repeated, it gets the same answer');
SELECT set_eq('SELECT m::text FROM followup.message m UNION ALL SELECT c::text FROM followup.conversation c UNION ALL SELECT a::text FROM followup.attempt a UNION ALL SELECT l::text FROM followup.lead l', 'TABLE t.before', 'and changes nothing');

-- the last one
SELECT next_message_id AS second FROM t.first \gset
\o /dev/null
SELECT t.set(1, :second, 'due_at = followup.now()'), t.verdict(1, :second);
CREATE TABLE t.last AS SELECT * FROM t.record(1, :second, 'sent');
\o
SELECT is((accepted, next_message_id), (true, NULL::bigint), 'after the last message nothing is due') FROM t.last;
SELECT is((state::text, ended_reason::text), ('ended'::text, 'completed'::text), 'the conversation is completed') FROM t.conversation_of(1, :second);

-- rejected
SELECT t.lead(1, 'ben') AS ben \gset
SELECT is(t.verdict(1, :ben), 'claimed', 'ben is claimed');
SELECT ok(accepted, 'rejected is accepted') FROM t.record(1, :ben, 'rejected', p_detail => 'no such mailbox');
SELECT is((state::text, detail), ('failed'::text, 'no such mailbox'::text), 'failed, with the reason') FROM followup.message WHERE id = :ben;
SELECT is((t.conversation_of(1, :ben)).ended_reason::text, 'failed', 'its conversation ended: failed');

-- retry
SELECT t.lead(1, 'cid') AS cid \gset
\o /dev/null
SELECT t.verdict(1, :cid);
SELECT clock_timestamp() AS asked \gset
CREATE TABLE t.retry AS SELECT r.* FROM t.record(1, :cid, 'retry') AS r;
\o
SELECT is((accepted, next_message_id), (true, :cid::bigint), 'a retry is the same message again') FROM t.retry;
SELECT ok(next_due_at - :'asked'::timestamptz BETWEEN '2 s' AND '60 s', 'after two seconds, the first time') FROM t.retry;
SELECT is((state::text, attempts, posts), ('scheduled'::text, 1, 0), 'scheduled, its key used up') FROM followup.message WHERE id = :cid;
SELECT t.set(1, :cid, 'due_at = followup.now()');
SELECT is((attempts, posts), (2, 1), 'the next claim takes the next key') FROM t.claim(1, :cid);
SELECT is(accepted, false, 'the first key''s result comes too late for anything')
  FROM t.record(1, :cid, 'retry', p_attempts => 1, p_posts => 1);
SELECT is(t.state(1, :cid), 'sending', 'and does not touch the POST under way');
SELECT clock_timestamp() AS asked \gset
CREATE TABLE t.retry2 AS SELECT r.* FROM t.record(1, :cid, 'retry', p_retry_after_ms => 90000) AS r;
SELECT ok(next_due_at - :'asked'::timestamptz BETWEEN '90 s' AND '100 s', 'Retry-After is honoured') FROM t.retry2;
SELECT t.set(1, :cid, 'due_at = followup.now()');
SELECT is(t.verdict(1, :cid), 'claimed', 'claimed a third time');
TRUNCATE t.retry2;
SELECT clock_timestamp() AS asked \gset
INSERT INTO t.retry2 SELECT r.* FROM t.record(1, :cid, 'retry', p_retry_after_ms => 90000000) AS r;
SELECT ok(next_due_at - :'asked'::timestamptz BETWEEN '3600 s' AND '3700 s', 'for an hour at most') FROM t.retry2;
SELECT is(count(*), 3::bigint, 'every try is an attempt') FROM followup.attempt WHERE message_id = :cid;
SELECT t.set(1, :cid, 'due_at = followup.now(), attempts = 9');
SELECT is(attempts, 10, 'the tenth key') FROM t.claim(1, :cid);
SELECT is(next_message_id, NULL, 'has no next try') FROM t.record(1, :cid, 'retry', p_detail => 'connection refused');
SELECT is((state::text, detail), ('failed'::text, 'gave up after 10 attempts: connection refused'::text), 'it is given up') FROM followup.message WHERE id = :cid;

-- retry that does not count
SELECT t.lead(1, 'dan') AS dan \gset
SELECT is(t.verdict(1, :dan), 'claimed', 'dan is claimed');
SELECT is(next_message_id, :dan::bigint, 'an uncounted retry is tried again') FROM t.record(1, :dan, 'retry', p_uncounted => true);
SELECT t.set(1, :dan, 'due_at = followup.now()');
SELECT is((attempts, posts), (1, 2), 'with the same key, as its next POST') FROM t.claim(1, :dan);
SELECT is(accepted, false, 'the first POST''s result, repeated, is not taken for the second''s') FROM t.record(1, :dan, 'retry', p_uncounted => true, p_posts => 1);
SELECT is(t.state(1, :dan), 'sending', 'which goes on');
SELECT is(next_message_id, :dan::bigint, 'two POSTs that both failed to leave: tried again') FROM t.record(1, :dan, 'retry');
SELECT is((attempts, posts, state::text), (1, 0, 'scheduled'::text), 'and the key is used up now') FROM followup.message WHERE id = :dan;

-- in doubt
SELECT t.lead(1, 'eva') AS eva \gset
SELECT is(t.verdict(1, :eva), 'claimed', 'eva is claimed');
SELECT is((accepted, next_message_id), (true, NULL::bigint), 'in doubt: accepted, nothing is due') FROM t.record(1, :eva, 'in_doubt');
SELECT is(t.state(1, :eva), 'in_doubt', 'in_doubt');
SELECT ok(accepted, 'a late answer that it was sent is accepted') FROM t.record(1, :eva, 'sent');
SELECT is(t.state(1, :eva), 'sent', 'and settles it');

-- the same key again after a doubt
SELECT t.lead(1, 'fay') AS fay \gset
SELECT is(t.verdict(1, :fay), 'claimed', 'fay is claimed');
\o /dev/null
SELECT t.record(1, :fay, 'in_doubt');
SELECT pg_sleep(0.01);
\o
SELECT is((message_id, attempts, posts), (:fay::bigint, 1, 2), 'posted again with its key')
  FROM followup.claim_in_doubt(t.me(), t.shards(), t.epochs(), ARRAY['sandbox'], ARRAY[3600000]::bigint[], ARRAY[10], 0, 'sandbox');
SELECT is(next_message_id, NULL, 'a retry of that one proves nothing about the first') FROM t.record(1, :fay, 'retry');
SELECT is((state::text, attempts), ('in_doubt'::text, 1), 'so it is in doubt again, with its key') FROM followup.message WHERE id = :fay;

SELECT t.lead(1, 'fred') AS fred \gset
\o /dev/null
SELECT t.verdict(1, :fred), t.record(1, :fred, 'in_doubt'), pg_sleep(0.01);
\o
SELECT count(*) AS again FROM followup.claim_in_doubt(t.me(), t.shards(), t.epochs(), ARRAY['sandbox'], ARRAY[3600000]::bigint[], ARRAY[10], 0, 'sandbox') WHERE message_id = :fred \gset
SELECT is((:again, t.state(1, :fred)), (1, 'sending'::text), 'another is on its way with its key');
SELECT is((accepted, t.state(1, :fred)), (false, 'sending'::text), 'what the POST before came to says nothing of this one: a refusal') FROM t.record(1, :fred, 'rejected', p_posts => 1);
SELECT is((accepted, t.state(1, :fred)), (false, 'sending'::text), 'a doubt') FROM t.record(1, :fred, 'in_doubt', p_posts => 1);
SELECT is((accepted, t.state(1, :fred)), (false, 'sending'::text), 'nor does a result of another epoch, though it has that key') FROM t.record(1, :fred, 'sent', p_epoch => 99);
SELECT is((accepted, t.state(1, :fred)), (false, 'sending'::text), 'or of another key') FROM t.record(1, :fred, 'sent', p_attempts => 2);
SELECT t.set(1, :fred, 'provider_message_id = ''told by an event''');
SELECT is((accepted, t.state(1, :fred)), (true, 'sent'::text), 'but that the POST before arrived does') FROM t.record(1, :fred, 'sent', p_posts => 1);
SELECT is(provider_message_id, 'told by an event', 'an answer without an id takes none away') FROM followup.message WHERE id = :fred;

-- takeover
SELECT t.lead(1, 'gil') AS gil, t.lead(1, 'hal') AS hal \gset
SELECT is(count(*), 2::bigint, 'gil and hal are claimed') FROM t.claim(1, :gil, :hal) WHERE verdict = 'claimed';
\o /dev/null
SELECT followup.acquire_leases(t.other(), t.me(), 600000);
\o
SELECT is((t.state(1, :gil), epoch), ('in_doubt'::text, 1::bigint), 'after a takeover it is in doubt and keeps its epoch') FROM followup.message WHERE id = :gil;
SELECT ok(accepted, 'the former owner''s "sent" counts') FROM t.record(1, :gil, 'sent');
SELECT is(t.state(1, :gil), 'sent', 'sent');
SELECT is((accepted, next_message_id), (false, NULL::bigint), 'its "retry" does not') FROM t.record(1, :hal, 'retry');
SELECT is(t.state(1, :hal), 'in_doubt', 'still in doubt');
SELECT isnt_empty('SELECT 1 FROM followup.attempt WHERE message_id = ' || :hal, 'but it is kept as an attempt');
\o /dev/null
SELECT followup.acquire_leases(t.me(), t.other(), 600000);
\o

-- a shard that is another's, whose takeover has not come to this message yet
SELECT t.lead(1, 'hugo') AS hugo \gset
SELECT is(t.verdict(1, :hugo), 'claimed', 'hugo is claimed');
UPDATE followup.lease SET owner = t.other();
SELECT is((accepted, t.state(1, :hugo)), (false, 'sending'::text), 'the former owner''s "retry" schedules nothing') FROM t.record(1, :hugo, 'retry');
SELECT is((accepted, t.state(1, :hugo)), (false, 'sending'::text), 'nor does the present one''s, of what it never claimed') FROM t.record(1, :hugo, 'retry', p_worker => t.other());
UPDATE followup.lease SET owner = t.me();
SELECT is((accepted, t.state(1, :hugo)), (true, 'in_doubt'::text), 'a doubt counts, whoever has the shard') FROM t.record(1, :hugo, 'in_doubt');
SELECT is(finished_at, NULL, 'and has not ended anything') FROM followup.message WHERE id = :hugo;

-- a webhook came first
SELECT t.lead(1, 'ida') AS ida \gset
SELECT is(t.verdict(1, :ida), 'claimed', 'ida is claimed');
SELECT ok(followup.record_event(1, 'sandbox', 'e-1', 'delivered', :ida, clock_timestamp()), 'delivered is told before the result');
SELECT is(t.state(1, :ida), 'delivered', 'delivered');
SELECT is(count(*), 1::bigint, 'and the next message is planned, once') FROM followup.message WHERE conversation_id = (t.conversation_of(1, :ida)).id AND state = 'scheduled';
SELECT ok(accepted, 'the result is accepted') FROM t.record(1, :ida, 'sent', p_provider_id => 'p-ida');
SELECT is((state::text, provider_message_id), ('delivered'::text, 'p-ida'::text), 'and gives the id, the state stays') FROM followup.message WHERE id = :ida;
SELECT isnt_empty('SELECT 1 FROM followup.message_body WHERE message_id = ' || :ida, 'the body is kept');
SELECT isnt_empty('SELECT 1 FROM followup.attempt WHERE message_id = ' || :ida, 'the attempt is kept');
SELECT is(count(*), 1::bigint, 'no second next message') FROM followup.message WHERE conversation_id = (t.conversation_of(1, :ida)).id AND state = 'scheduled';

-- replaced while in flight
SELECT t.lead(1, 'jan') AS jan, t.lead(1, 'kim') AS kim \gset
SELECT is(count(*), 2::bigint, 'jan and kim are claimed') FROM t.claim(1, :jan, :kim) WHERE verdict = 'claimed';
SELECT is(in_flight, ARRAY[:jan::bigint], 'stop tells what is in flight') FROM followup.stop_messaging(1, ARRAY[t.lead_of(1, :jan)]);
SELECT is((accepted, next_message_id), (true, NULL::bigint), 'a retry of a stopped lead''s message has no next try') FROM t.record(1, :jan, 'retry');
SELECT is(t.state(1, :jan), 'cancelled', 'it is cancelled');
\o /dev/null
SELECT followup.skip_to_follow_up(1, ARRAY[t.lead_of(1, :kim)]);
SELECT t.record(1, :kim, 'sent');
\o
SELECT is(t.state(1, :kim), 'sent', 'sent, though it was replaced');
SELECT results_eq(format('SELECT kind::text FROM followup.message WHERE conversation_id = %s AND state = ''scheduled''', (SELECT (t.conversation_of(1, :kim)).id)),
    ARRAY['follow_up'], 'and planned nothing beside what replaced it');

-- alerts, unknown ids, several results of one message, locked rows
SELECT t.alert(1) AS alert \gset
SELECT is(t.verdict(1, :alert), 'claimed', 'an alert is claimed');
SELECT is((accepted, next_message_id), (true, :alert::bigint), 'an alert is tried again') FROM t.record(1, :alert, 'retry');
SELECT is((account_id, message_id, accepted), (1::bigint, 424242::bigint, false), 'an unknown message: not accepted')
  FROM followup.record_results(t.me(), t.shards(), t.epochs(), ARRAY[1]::bigint[], ARRAY[424242]::bigint[], ARRAY[1], ARRAY[1], ARRAY[1]::bigint[],
       '{sent}', '{f}', '{200}', '{0}', '{NULL}', '{NULL}', ARRAY[now()], ARRAY[now()], '{NULL}', '{NULL}', '{NULL}');
SELECT t.lead(2, 'lea') AS lea, t.lead(2, 'max') AS max \gset
SELECT is(count(*), 2::bigint, 'lea and max are claimed') FROM t.claim(2, :lea, :max) WHERE verdict = 'claimed';
SELECT t.hold('FROM followup.conversation WHERE id = ' || (t.conversation_of(2, :lea)).id || ' FOR NO KEY UPDATE');
SELECT results_eq(format('SELECT message_id, accepted FROM followup.record_results(t.me(), t.shards(), t.epochs(), ARRAY[2, 2, 2]::bigint[],
    ARRAY[%1$s, %2$s, %2$s], ARRAY[1, 1, 1], ARRAY[1, 1, 1], ARRAY[3, 3, 3]::bigint[], ''{sent,in_doubt,sent}'', ''{f,f,f}'', ''{200,0,200}'', ''{0,0,0}'',
    ''{NULL,NULL,NULL}'', ''{NULL,NULL,NULL}'', ARRAY[now(), now(), now()], ARRAY[now(), now(), now()], ''{a,b,c}'', ''{a,b,c}'', ''{NULL,NULL,NULL}'')', :lea, :max),
    format('VALUES (%s::bigint, true)', :max), 'a locked conversation''s result is missing from the answer, the others are recorded');
SELECT is((t.state(2, :lea), t.state(2, :max)), ('sending'::text, 'sent'::text), 'of two results of one message, "sent" counts');
SELECT t.let_go();
SELECT ok(accepted, 'repeated later, it is recorded') FROM t.record(2, :lea, 'sent');
SELECT t.lead(2, 'ned') AS ned, t.lead(2, 'ola') AS ola \gset
SELECT is(count(*), 2::bigint, 'ned and ola are claimed') FROM t.claim(2, :ned, :ola) WHERE verdict = 'claimed';
SELECT results_eq(format('SELECT message_id FROM followup.record_results(t.me(), t.shards(), t.epochs(), ARRAY[2, 2]::bigint[],
    ARRAY[%1$s, %2$s], ARRAY[1, 1], ARRAY[1, 1], ARRAY[3, 3]::bigint[], ''{sent,sent}'', ''{f,f}'', ''{200,200}'', ''{0,0}'', ''{NULL,NULL}'',
    ''{NULL,NULL}'', ARRAY[now(), now()], ARRAY[now(), now()], ''{a,b}'', ''{a,b}'', ''{NULL,NULL}'')', :ola, :ned),
    format('VALUES (%s::bigint), (%s)', :ola, :ned), 'the answer comes in the order asked');

-- A provider that writes a Message-ID of its own: what follows answers the mail that arrived.
SELECT t.lead(2, 'pia') AS pia \gset
SELECT is(t.verdict(2, :pia), 'claimed', 'pia is claimed');
SELECT next_message_id AS pia_two FROM t.record(2, :pia, 'sent', p_provider_id => '0100-1', p_rfc_id => '<0100-1@email.amazonses.com>') \gset
SELECT is((provider_message_id, rfc_message_id), ('0100-1'::text, '<0100-1@email.amazonses.com>'::text), 'the id that arrived is the message''s')
  FROM followup.message WHERE account_id = 2 AND id = :pia;
UPDATE followup.message SET due_at = followup.now() - '1 second'::interval WHERE account_id = 2 AND id = :pia_two;
SELECT is((in_reply_to, refs), ('<0100-1@email.amazonses.com>'::text, '<0100-1@email.amazonses.com>'::text), 'the next message answers it')
  FROM t.claim(2, :pia_two);
SELECT t.set(2, :pia_two, $$state = 'in_doubt'$$), t.set(2, :pia_two, $$state = 'delivered', provider_message_id = '0100-2', sent_at = followup.now()$$);
SELECT ok(accepted, 'an event came first') FROM t.record(2, :pia_two, 'sent', p_provider_id => '0100-2', p_rfc_id => '<0100-2@email.amazonses.com>');
SELECT is(rfc_message_id, '<0100-2@email.amazonses.com>', 'the id that arrived is kept all the same')
  FROM followup.message WHERE account_id = 2 AND id = :pia_two;

-- A message's attempts go with it, and so does what left.
SELECT isnt_empty('SELECT 1 FROM followup.attempt WHERE message_id = ' || :ned, 'what was recorded has an attempt');
DELETE FROM followup.lead AS l WHERE l.account_id = 2 AND l.id = t.lead_of(2, :ned);
SELECT is_empty('SELECT 1 FROM followup.attempt WHERE message_id = ' || :ned, 'a lead is deleted with its messages'' attempts and bodies');
SELECT isnt_empty('SELECT 1 FROM followup.attempt WHERE message_id = ' || :ola, 'and no other');
SELECT * FROM finish();
