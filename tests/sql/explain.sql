-- "Why not yet": one line a cause, with the instant at which it clears.
BEGIN;
\ir support/rules_world.sql
\ir support/no_replan.sql
SELECT plan(32);
INSERT INTO followup.worker (id, host, beat_at) VALUES ('00000000-0000-0000-0000-00000000000a', 'here', clock_timestamp());
UPDATE followup.lease SET owner = '00000000-0000-0000-0000-00000000000a', epoch = 1, expires_at = clock_timestamp() + '1 hour';

CREATE FUNCTION t.why(p_message bigint) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(e.cause || coalesce(' [' || to_char(e.clears_at, 'MM-DD HH24:MI') || ']', ''), ' | ') FROM followup.explain(1, p_message) AS e $$;

SELECT t.started() AS l \gset
SELECT t.live(:l) AS m \gset
SELECT is(t.why(:m), 'nothing is in its way: it leaves within seconds [03-02 08:00]', 'due, and nothing against it');
SET test.now = '2026-03-02 07:00+00';
SELECT is(t.why(:m), 'due later: planned for 2026-03-02 09:00 Europe/Berlin [03-02 08:00]', 'due later, in the lead''s zone');
UPDATE followup.lead SET timezone = 'Asia/Tokyo' WHERE id = :l;
SELECT is(t.why(:m), 'due later: planned for 2026-03-02 17:00 Asia/Tokyo [03-02 08:00]', 'in the zone it is planned in');
UPDATE followup.lead SET timezone = NULL WHERE id = :l;
SET test.now = '2026-03-02 08:00+00';

-- Each cause alone
SELECT followup.pause(1) \gset
SELECT is(t.why(:m), 'the account is paused', 'a pause of the account clears when somebody resumes');
SELECT followup.resume(1) \gset
SELECT followup.pause(1, p_assistant => 1) \gset
SELECT is(t.why(:m), 'the assistant Sue is paused', 'of the assistant');
SELECT followup.resume(1, p_assistant => 1) \gset
SELECT followup.pause(1, p_sequence => 1) \gset
SELECT is(t.why(:m), 'the sequence Sales is paused', 'of the sequence');
SELECT followup.resume(1, p_sequence => 1) \gset
UPDATE followup.conversation SET hold_until = '2026-03-05 08:00+00' WHERE lead_id = :l;
SELECT is(t.why(:m), 'held until 2026-03-05 09:00 Europe/Berlin [03-05 08:00]', 'a hold');
UPDATE followup.conversation SET hold_until = 'infinity' WHERE lead_id = :l;
SELECT is(t.why(:m), 'held until it is released', 'a hold without an end');
UPDATE followup.conversation SET hold_until = NULL WHERE lead_id = :l;
INSERT INTO followup.send_window (account_id, weekday, opens, closes) SELECT 1, d, '10:00', '17:00' FROM generate_series(1, 5) AS d;
SELECT is(t.why(:m), 'send window: closed now (Mon 09:00 Europe/Berlin) [03-02 09:00]', 'a window');
UPDATE followup.message SET forced = true WHERE id = :m;
SELECT is(t.why(:m), 'nothing is in its way: it leaves within seconds [03-02 08:00]', 'which a forced message does not ask');
UPDATE followup.message SET forced = false WHERE id = :m;
INSERT INTO followup.holiday (country, date, name) VALUES ('DE', '2026-03-02', 'a holiday');
UPDATE followup.lead SET country = 'de' WHERE id = :l;
SELECT is(t.why(:m), 'holiday: 2026-03-02 in de [03-03 09:00]', 'a holiday of the country');
UPDATE followup.lead SET country = 'FR' WHERE id = :l;
SELECT is(t.why(:m), 'send window: closed now (Mon 09:00 Europe/Berlin) [03-02 09:00]', 'not of another country');
DELETE FROM followup.send_window;
DELETE FROM followup.holiday;
INSERT INTO followup.suppression (account_id, address, reason, source) SELECT 1, lower(email), 'asked', 'test' FROM followup.lead WHERE id = :l;
SELECT is(t.why(:m), 'suppressed: ' || (SELECT email FROM followup.lead WHERE id = :l) || ' is never written to', 'a suppressed address');
DELETE FROM followup.suppression;
UPDATE followup.account SET late_action = 'hold' WHERE id = 1;
SET test.now = '2026-03-02 21:00+00';
SELECT is(t.why(:m), 'over 12:00:00 late: it will be held for a person to decide', 'too late, where that means hold');
UPDATE followup.message SET due_at = 'infinity', planned_reason = 'held: it was to leave at noon' WHERE id = :m;
SELECT is(t.why(:m), 'held: it was to leave at noon; it has no due time', 'held for a person');
UPDATE followup.account SET late_action = 'replan' WHERE id = 1;
UPDATE followup.message SET due_at = '2026-03-02 08:00+00' WHERE id = :m;
SET test.now = '2026-03-02 08:00+00';

-- The engine
UPDATE followup.worker SET draining = true;
SELECT is(t.why(:m), 'its worker is draining and claims no more', 'a worker that drains');
UPDATE followup.lease SET expires_at = clock_timestamp() - '1 minute'::interval;
SELECT matches(t.why(:m), '^no worker: the lease of its shard \(\d+\) ran out (59|60|61) s ago$', 'a lease that ran out');
UPDATE followup.lease SET owner = NULL;
SELECT matches(t.why(:m), '^no worker: nobody owns its shard \(\d+\); is followupd running\?$', 'no worker');
SELECT followup.pause(1) \gset
SELECT matches(t.why(:m), '^the account is paused \| no worker', 'more than one cause: a line each');
SELECT followup.resume(1) \gset
UPDATE followup.lease SET owner = '00000000-0000-0000-0000-00000000000a', expires_at = clock_timestamp() + '1 hour';
UPDATE followup.worker SET draining = false;

-- Back-off, sending, in doubt, decided
INSERT INTO followup.attempt (account_id, message_id, no, post, epoch, outcome, http_status, detail, started_at, ended_at)
VALUES (1, :m, 1, 1, 1, 'retry', 503, 'busy', clock_timestamp(), clock_timestamp());
UPDATE followup.message SET attempts = 1, due_at = '2026-03-02 08:02+00' WHERE id = :m;
SELECT is(t.why(:m), 'back-off: try 1 did not leave: 503 busy; the next is at 2026-03-02 09:02 Europe/Berlin [03-02 08:02]', 'after a failed try');
UPDATE followup.message SET due_at = '2026-03-02 08:00+00' WHERE id = :m;
SELECT t.claim(:l) AS m \gset
SELECT matches(t.why(:m), '^being sent: POST 1 of try 1 began \d+ s ago$', 'on its way');
UPDATE followup.message SET state = 'in_doubt' WHERE id = :m;
SELECT is(t.why(:m), 'in doubt: try 1, 1 POST, and no answer says whether it left; held until an event of the provider or a person settles it', 'in doubt');
UPDATE followup.account SET in_doubt_policy = 'assume_sent' WHERE id = 1;
SELECT is((SELECT e.cause FROM followup.explain(1, :m) AS e), 'in doubt: try 1, 1 POST, and no answer says whether it left; after 24 hours the account''s policy settles it: assume sent', 'by policy');
SELECT ok((SELECT e.clears_at FROM followup.explain(1, :m) AS e) BETWEEN '2026-03-03 07:59+00' AND '2026-03-03 08:00+00', 'a day after its claim');
UPDATE followup.message SET state = 'sent', sent_at = '2026-03-02 08:00+00' WHERE id = :m;
SELECT is(t.why(:m), 'it left 2026-03-02 09:00 Europe/Berlin', 'what has left');
SELECT t.started() AS l \gset
SELECT t.live(:l) AS m \gset
SELECT followup.stop_messaging(1, ARRAY[:l]::bigint[]) \gset
SELECT is(t.why(:m), 'cancelled 2026-03-02 09:00 Europe/Berlin: stopped', 'what was cancelled');

-- The daily cap
UPDATE followup.assistant SET daily_cap = 1 WHERE id = 1;
SELECT t.started() AS first \gset
SELECT t.started() AS l \gset
SELECT is(t.why(t.live(:l)), 'due later: planned for 2026-03-03 09:00 Europe/Berlin [03-03 08:00] | '
    'daily cap of Sue (1 a day): planned for 2026-03-02 09:00 Europe/Berlin, that day is full [03-03 08:00]', 'a daily cap');

-- Alerts have no lead
INSERT INTO followup.message (account_id, kind, recipient, due_at) VALUES (1, 'alert', 'a@b.example', '2026-03-02 08:00+00') RETURNING id AS m \gset
SELECT followup.pause(1) \gset
SELECT is(t.why(:m), 'nothing is in its way: it leaves within seconds [03-02 08:00]', 'an alert asks neither pause nor window');

-- Bad input
SELECT throws_ok('SELECT * FROM followup.explain(1, 424242)', '22023', 'account 1 has no message 424242', 'an unknown message');
SELECT throws_ok(format('SELECT * FROM followup.explain(2, %s)', :m), '22023', NULL, 'another account''s message');
SELECT throws_ok('SELECT * FROM followup.explain(1, NULL)', '22023', NULL, 'NULL');
CREATE ROLE t_app LOGIN IN ROLE followup_app;
SET SESSION AUTHORIZATION t_app;
SELECT throws_ok(format('SELECT * FROM followup.explain(1, %s)', :m), '42501', NULL, 'not without naming the account of the transaction');
RESET SESSION AUTHORIZATION;
SELECT * FROM finish();
ROLLBACK;
