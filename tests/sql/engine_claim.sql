-- claim_messages: one verdict for every id asked, and what each leaves behind.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
CREATE FUNCTION t.token(p_message bigint) RETURNS text LANGUAGE sql AS $$
    SELECT followup.reply_token(1, p_message, k.inner_key, k.outer_key) FROM followup.reply_key AS k $$;
SELECT plan(73);

-- claimed
SELECT t.lead(1, 'ada') AS ada, t.lead(1, 'ben') AS ben \gset
CREATE TABLE t.row AS SELECT * FROM t.claim(1, :ada);
SELECT is(verdict::text, 'claimed', 'a due message is claimed') FROM t.row;
SELECT is(t.state(1, :ada), 'sending', 'and is sending');
SELECT is((attempts, posts), (1, 1), 'its first key and first POST') FROM t.row;
SELECT is((claimed_by, epoch), (t.me(), 1::bigint), 'worker and epoch are kept in it') FROM followup.message WHERE id = :ada;
SELECT is(first_post_at, claimed_at, 'the key''s window counts from this claim') FROM followup.message WHERE id = :ada;
SELECT is(provider, 'sandbox', 'the default provider, where nobody names one') FROM t.row;
SELECT is((recipient, from_name, from_address), ('ada@People.example'::text, 'Ann'::text, 'ann@firm.example'::text), 'who to whom') FROM t.row;
SELECT is(reply_to, 'r-' || t.token(:ada) || '@reply.example', 'reply_to names account and message, signed') FROM t.row;
SELECT is((subject, body_text, body_html), ('Hello {{first_name}}'::text, 'Text one'::text, '<p>one</p>'::text), 'the step''s templates') FROM t.row;
SELECT is((first_name, last_name, company, country, email), ('Ada'::text, NULL::text, 'Firm'::text, NULL::text, 'ada@People.example'::text), 'the lead''s tags; what has no value is NULL') FROM t.row;
SELECT is((assistant_name, assistant_title, assistant_signature, assistant_email),
          ('Ann'::text, 'Assistant'::text, 'Ann of Firm'::text, 'ann@firm.example'::text), 'the assistant''s') FROM t.row;
SELECT is((rep_name, rep_email, rep_phone, postal_address), ('Rita'::text, 'rita@firm.example'::text, '555'::text, '1 Main St'::text), 'the representative''s, and the address') FROM t.row;
SELECT is(fields, '{"color": "red", "email": "mine"}'::jsonb, 'and the lead''s own fields, as they are stored') FROM t.row;
SELECT is(rfc_message_id, '<fu-' || t.token(:ada) || '@firm.example>', 'a Message-ID made of ids, signed') FROM t.row;
SELECT is((in_reply_to, refs), (NULL::text, NULL::text), 'the first message answers nothing') FROM t.row;
SELECT is(unsubscribe_token, (SELECT unsubscribe_token FROM followup.lead WHERE id = t.lead_of(1, :ada)), 'the lead''s token') FROM t.row;
SELECT is((shard, kind::text), (followup.shard_of(1), 'sequence'::text), 'shard and kind') FROM t.row;
SELECT is(t.verdict(1, :ada), 'gone', 'a second claim of it finds it gone');
SELECT is(t.state(1, :ada), 'sending', 'and leaves it alone');

-- a thread
SELECT (t.record(1, :ada, 'sent')).next_message_id AS second \gset
SELECT t.set(1, :second, 'due_at = followup.now()');
TRUNCATE t.row;
INSERT INTO t.row SELECT * FROM t.claim(1, :second);
SELECT is((in_reply_to, refs), (('<fu-' || t.token(:ada) || '@firm.example>')::text, ('<fu-' || t.token(:ada) || '@firm.example>')::text), 'the second message answers the first') FROM t.row;
SELECT (t.record(1, :second, 'sent')).accepted AS ok \gset
SELECT message_id AS feedback FROM followup.message AS m, followup.skip_to_follow_up(1, ARRAY[t.lead_of(1, :ben)]) WHERE m.id = :ben \gset
SELECT is(t.verdict(1, :ben), 'gone', 'what an action replaced is gone');
SELECT is(t.verdict(1, :feedback), 'moved', 'what is not due yet has moved');
SELECT t.set(1, :feedback, 'due_at = followup.now()');
SELECT is(subject, 'How was it?', 'a follow-up has the follow-up''s template') FROM t.claim(1, :feedback);

-- many at once, in one answer
SELECT t.lead(1, 'cid') AS cid, t.lead(2, 'dan') AS dan, t.lead(2, 'eva', '-1 hour') AS eva \gset
SELECT set_eq(format('SELECT message_id, verdict::text FROM followup.claim_messages(t.me(), t.shards(), t.epochs(),
    ARRAY[1, 2, 2, 2, 1]::bigint[], ARRAY[%1$s, %2$s, %3$s, 999999, %1$s], ''sandbox'')', :cid, :dan, :eva),
    format('VALUES (%s::bigint, ''claimed''), (%s, ''claimed''), (%s, ''moved''), (999999, ''gone'')', :cid, :dan, :eva),
    'a batch mixes accounts and shards and answers every id once');
SELECT is(due_at, (SELECT due_at FROM followup.message WHERE id = :eva), 'moved tells the due time') FROM t.claim(2, :eva);

-- leases
SELECT t.lead(1, 'fay') AS fay \gset
SELECT is(verdict::text, 'not_ours', 'another epoch of the lease is not ours')
  FROM followup.claim_messages(t.me(), ARRAY[followup.shard_of(1)], ARRAY[99]::bigint[], ARRAY[1]::bigint[], ARRAY[:fay]::bigint[], 'x');
SELECT is(verdict::text, 'not_ours', 'another worker''s lease is not ours')
  FROM followup.claim_messages(t.other(), t.shards(), t.epochs(), ARRAY[1]::bigint[], ARRAY[:fay]::bigint[], 'x');
SELECT is(t.state(1, :fay), 'scheduled', 'and the message stays as it was');

-- provider: assistant's, else account's
UPDATE followup.account SET provider = 'p-account' WHERE id = 1;
SELECT is(provider, 'p-account', 'the account''s provider') FROM t.claim(1, :fay);
SELECT t.lead(1, 'gil') AS gil \gset
UPDATE followup.assistant SET provider = 'p-assistant' WHERE account_id = 1;
SELECT is(provider, 'p-assistant', 'the assistant''s provider goes first') FROM t.claim(1, :gil);
SELECT is(provider, 'p-assistant', 'and is kept in the message') FROM followup.message WHERE id = :gil;

-- pause
SELECT t.lead(1, 'hal') AS hal, t.alert(1) AS alert \gset
UPDATE followup.account SET paused_at = now() WHERE id = 1;
SELECT is(t.verdict(1, :hal), 'gone', 'a paused account: gone');
SELECT is(t.state(1, :hal), 'scheduled', 'it stays scheduled');
SELECT is_empty('SELECT 1 FROM followup.message_to_load WHERE account_id = 1 AND id = ' || :hal, 'and the loader does not see it');
SELECT isnt_empty('SELECT 1 FROM followup.message_to_load WHERE account_id = 1 AND id = ' || :alert, 'the loader sees an alert of a paused account');
CREATE TABLE t.alert_row AS SELECT * FROM t.claim(1, :alert);
SELECT is((verdict::text, recipient, payload), ('claimed'::text, 'rita@firm.example'::text, '{"what": "hot"}'::jsonb), 'and it is claimed, with its payload') FROM t.alert_row;
UPDATE followup.account SET paused_at = NULL WHERE id = 1;
UPDATE followup.assistant SET paused_at = now() WHERE account_id = 1;
SELECT is(t.verdict(1, :hal), 'gone', 'a paused assistant: gone');
SELECT is_empty('SELECT 1 FROM followup.message_to_load WHERE account_id = 1 AND id = ' || :hal, 'not loaded either');
UPDATE followup.assistant SET paused_at = NULL WHERE account_id = 1;
UPDATE followup.sequence SET paused_at = now() WHERE account_id = 1;
SELECT is(t.verdict(1, :hal), 'gone', 'a paused sequence: gone');
SELECT is_empty('SELECT 1 FROM followup.message_to_load WHERE account_id = 1 AND id = ' || :hal, 'not loaded either (sequence)');
UPDATE followup.sequence SET paused_at = NULL WHERE account_id = 1;
SELECT isnt_empty('SELECT 1 FROM followup.message_to_load WHERE account_id = 1 AND id = ' || :hal, 'resumed: loaded again');
SELECT is(t.verdict(1, :hal), 'claimed', 'resumed: claimed');

-- suppression
SELECT t.lead(1, 'ida') AS ida \gset
INSERT INTO followup.suppression (account_id, address, reason, source) VALUES (1, 'ida@people.example', 'test', 'test');
SELECT is(t.verdict(1, :ida), 'gone', 'a suppressed address: gone');
SELECT is(t.state(1, :ida), 'cancelled', 'the message is cancelled');
SELECT is((state::text, ended_reason::text), ('ended'::text, 'suppressed'::text), 'its conversation ended: suppressed') FROM t.conversation_of(1, :ida);
SELECT is(state::text, 'stopped', 'the lead is stopped') FROM followup.lead WHERE id = t.lead_of(1, :ida);

-- windows
SELECT t.lead(2, 'jan') AS jan, t.lead(2, 'kim') AS kim \gset
INSERT INTO followup.send_window (account_id, weekday, opens, closes)
SELECT 2, 1 + (extract(isodow FROM followup.now() AT TIME ZONE 'UTC')::integer + 2) % 7, '00:00', '24:00';
-- The window moved it when it was written; here it is as if it had closed while the message waited to be claimed.
SET ROLE followup_owner;
UPDATE followup.message SET due_at = followup.now() - '1 second'::interval WHERE id = :jan;
RESET ROLE;
SELECT is(t.verdict(2, :jan), 'moved', 'a closed window: moved');
SELECT cmp_ok(due_at, '>', followup.now(), 'to when it opens') FROM followup.message WHERE id = :jan;
SELECT t.set(2, :kim, 'forced = true, due_at = followup.now() - ''1 second''::interval');
SELECT is(t.verdict(2, :kim), 'claimed', 'a forced one does not ask the window');
SELECT t.alert(2) AS alert \gset
SELECT is(t.verdict(2, :alert), 'claimed', 'an alert does not either');
DELETE FROM followup.send_window;

-- late
SELECT t.lead(2, 'leo', '13 hours') AS leo, t.lead(2, 'mia', '11 hours') AS mia, t.lead(2, 'ned', '13 hours') AS ned, t.lead(2, 'ola', '13 hours') AS ola \gset
SELECT is(t.verdict(2, :mia), 'claimed', 'eleven hours late is not too late');
SELECT is(t.verdict(2, :leo), 'moved', 'thirteen hours late: planned anew');
SELECT is(t.verdict(2, :leo), 'claimed', 'and it leaves at its new time');
UPDATE followup.account SET late_action = 'send' WHERE id = 2;
SELECT is(t.verdict(2, :ned), 'claimed', 'late_action send: it leaves');
UPDATE followup.account SET late_action = 'hold' WHERE id = 2;
SELECT is(t.verdict(2, :ola), 'gone', 'late_action hold: gone');
SELECT is((state::text, due_at), ('scheduled'::text, 'infinity'::timestamptz), 'kept for a person, out of the loader''s reach') FROM followup.message WHERE id = :ola;

-- what should not be
SELECT t.lead(2, 'pia') AS pia, t.lead(2, 'quy') AS quy \gset
UPDATE followup.conversation SET state = 'ended', ended_reason = 'stopped' WHERE id = (t.conversation_of(2, :pia)).id;
SELECT is((t.verdict(2, :pia), t.state(2, :pia)), ('gone'::text, 'cancelled'::text), 'a message that an ended conversation left behind is cancelled');
SELECT t.set(2, :quy, 'position = 77');
SELECT is((t.verdict(2, :quy), t.state(2, :quy)), ('gone'::text, 'failed'::text), 'a step that does not exist: failed');
SELECT is((t.conversation_of(2, :quy)).ended_reason::text, 'failed', 'and its conversation ended, for a person to see');

SELECT t.lead(2, 'tim') AS tim \gset
SELECT t.set(2, :tim, 'detached = true');
SELECT is((t.verdict(2, :tim), t.state(2, :tim)), ('gone'::text, 'cancelled'::text), 'so is one that an action replaced');

-- what ends a conversation writes its lead: nobody waits for one who has it
SET lock_timeout = '5s';
SELECT t.lead(2, 'uli') AS uli, t.lead(2, 'vic') AS vic \gset
SELECT t.set(2, :uli, 'position = 77');
INSERT INTO followup.suppression (account_id, address, reason, source) VALUES (2, 'vic@people.example', 'test', 'test');
SELECT t.hold('FROM followup.lead WHERE id IN (' || t.lead_of(2, :uli) || ', ' || t.lead_of(2, :vic) || ') FOR NO KEY UPDATE');
SELECT is((t.verdict(2, :uli), t.state(2, :uli)), ('busy'::text, 'scheduled'::text), 'of a step that does not exist');
SELECT is((t.verdict(2, :vic), t.state(2, :vic)), ('busy'::text, 'scheduled'::text), 'of a suppressed address');
SELECT t.let_go();
SELECT is((t.verdict(2, :uli), t.state(2, :uli)), ('gone'::text, 'failed'::text), 'free, the one fails');
SELECT is((t.verdict(2, :vic), t.state(2, :vic)), ('gone'::text, 'cancelled'::text), 'and the other is cancelled');
RESET lock_timeout;

-- a key that was used, and counts still
SELECT t.lead(2, 'wim') AS wim \gset
SELECT t.verdict(2, :wim), t.record(2, :wim, 'retry', p_uncounted => true) \g /dev/null
SELECT first_post_at AS first FROM followup.message WHERE id = :wim \gset
SELECT t.set(2, :wim, 'due_at = followup.now()');
SELECT is((attempts, posts), (1, 2), 'is posted again') FROM t.claim(2, :wim);
SELECT is(first_post_at, :'first'::timestamptz, 'and its window counts from its first POST') FROM followup.message WHERE id = :wim;

-- busy
SELECT t.lead(2, 'ron') AS ron, t.lead(2, 'sue') AS sue \gset
SELECT t.hold('FROM followup.conversation WHERE id = ' || (t.conversation_of(2, :ron)).id || ' FOR NO KEY UPDATE');
SELECT set_eq(format('SELECT message_id, verdict::text FROM t.claim(2, %s, %s)', :ron, :sue),
    format('VALUES (%s::bigint, ''busy''), (%s, ''claimed'')', :ron, :sue), 'a locked conversation is busy and holds up nobody else');
SELECT t.let_go();
SELECT t.hold('FROM followup.message WHERE id = ' || :ron || ' FOR NO KEY UPDATE');
SELECT is(t.verdict(2, :ron), 'busy', 'a locked message is busy');
SELECT t.let_go();
SELECT t.hold('FROM followup.account WHERE id = 2 FOR NO KEY UPDATE');
SELECT is(t.verdict(2, :ron), 'busy', 'a locked account (pause, suppress) is busy');
SELECT t.let_go();
SELECT is(t.verdict(2, :ron), 'claimed', 'and claimed once it is free');

-- order of stop and claim
SELECT reason AS r FROM followup.stop_messaging(2, ARRAY[t.lead_of(2, :ron)]) \gset
SELECT cmp_ok(m.claim_seq, '<', c.stop_seq, 'a claim before a stop has the lower number')
  FROM followup.message AS m, t.conversation_of(2, :ron) AS c WHERE m.id = :ron;
SELECT is_empty('SELECT m.id FROM followup.message m JOIN followup.conversation c ON c.account_id = m.account_id AND c.id = m.conversation_id
                  WHERE m.claim_seq > c.stop_seq', 'no claim has a higher number than its conversation''s stop');
SET default_transaction_isolation = 'repeatable read';
SELECT throws_ok('SELECT t.verdict(2, 1)', '25000', NULL, 'another isolation level is refused');
RESET default_transaction_isolation;
SELECT * FROM finish();
