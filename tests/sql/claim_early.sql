-- A claim before the due time: how long before, and that every rule is asked of the instant at which the message leaves. The clock
-- stands still.
\ir support/engine.sql
\ir support/no_replan.sql
\o /dev/null
SELECT t.account(n) FROM generate_series(1, 7) AS n;
\o
SELECT plan(37);
CREATE FUNCTION t.stand(p_at timestamptz, p_rate double precision = 1) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION followup.now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS
                    $f$ SELECT %L::timestamptz $f$', p_at);
    EXECUTE format('CREATE OR REPLACE FUNCTION followup.clock(OUT business timestamptz, OUT rate double precision) RETURNS SETOF record
                    LANGUAGE sql VOLATILE PARALLEL SAFE ROWS 1 AS $f$ SELECT %L::timestamptz, %L::double precision $f$', p_at, p_rate);
END $$;
CREATE FUNCTION t.due(p_account bigint, p_name text, p_at timestamptz) RETURNS bigint LANGUAGE sql AS $$
    SELECT t.lead(p_account, p_name, followup.now() - p_at) $$;
-- As t.set, where no trigger plans it anew.
CREATE FUNCTION t.force(p_account bigint, p_message bigint, p_assignments text) RETURNS void LANGUAGE sql SET session_replication_role = replica AS $$
    SELECT t.set(p_account, p_message, p_assignments) $$;
SELECT t.stand('2026-03-02 08:59:59.98Z') \g /dev/null

-- how long before
SELECT t.due(1, 'ada', '2026-03-02 09:00:00.03Z') AS ada, t.due(1, 'ben', '2026-03-02 09:00:00.030001Z') AS ben \gset
SELECT is((verdict::text, due_at), ('claimed'::text, '2026-03-02 09:00:00.03Z'::timestamptz), 'due in 50 ms: claimed, and told when it is due') FROM t.claim(1, :ada);
SELECT is((verdict::text, due_at), ('moved'::text, '2026-03-02 09:00:00.030001Z'::timestamptz), 'due later: not yet') FROM t.claim(1, :ben);
SELECT is(t.state(1, :ben), 'scheduled', 'and left as it is');
SELECT t.alert(1) AS alert, t.alert(1) AS later \gset
SELECT t.set(1, :alert, 'due_at = followup.now() + ''50 ms'''), t.set(1, :later, 'due_at = followup.now() + ''51 ms''') \g /dev/null
SELECT is((t.verdict(1, :alert), t.verdict(1, :later)), ('claimed'::text, 'moved'::text), 'an alert too');
SELECT t.stand('2026-03-02 08:59:59.98Z', 3600) \g /dev/null
SELECT t.due(1, 'cid', '2026-03-02 09:02:59.98Z') AS cid, t.due(1, 'dan', '2026-03-02 09:02:59.99Z') AS dan \gset
SELECT is((t.verdict(1, :cid), t.verdict(1, :dan)), ('claimed'::text, 'moved'::text), 'they are real milliseconds, whatever the rate of the clock');
SELECT t.stand('2026-03-02 08:59:59.98Z') \g /dev/null

-- the window
INSERT INTO followup.send_window (account_id, weekday, opens, closes) SELECT 2, d, '09:00', '17:00' FROM generate_series(1, 5) AS d;
SELECT t.due(2, 'eva', '2026-03-02 09:00Z') AS eva, t.due(2, 'fay', '2026-03-02 09:00Z') AS fay \gset
SELECT t.force(2, :fay, 'due_at = ''2026-03-02 08:59:59.999Z''') \g /dev/null
SELECT is(t.verdict(2, :eva), 'claimed', 'due when the window opens: claimed while it is closed');
SELECT is((verdict::text, due_at), ('moved'::text, '2026-03-02 09:00Z'::timestamptz), 'due before it opens: moved to then') FROM t.claim(2, :fay);
SELECT is(planned_reason, 'planned anew: it could not leave at 2026-03-02 08:59:59.999+00', 'and says so') FROM followup.message WHERE id = :fay;
SELECT t.stand('2026-03-02 16:59:59.98Z') \g /dev/null
SELECT t.due(2, 'gus', '2026-03-02 16:59:59.99Z') AS gus, t.due(2, 'hal', '2026-03-02 16:59:59.99Z') AS hal \gset
SELECT t.force(2, :hal, 'due_at = ''2026-03-02 17:00Z''') \g /dev/null
SELECT is(t.verdict(2, :gus), 'claimed', 'due while it is open');
SELECT is((verdict::text, due_at), ('moved'::text, '2026-03-03 09:00Z'::timestamptz), 'due when it closes: not claimed while it is open') FROM t.claim(2, :hal);

-- holidays
SELECT t.stand('2026-03-02 23:59:59.98Z') \g /dev/null
INSERT INTO followup.holiday (account_id, date, name) VALUES (3, '2026-03-02', 'over soon'), (4, '2026-03-03', 'comes');
SELECT t.due(3, 'ida', '2026-03-03 00:00Z') AS ida, t.due(4, 'jan', '2026-03-03 00:00Z') AS jan, t.due(3, 'kay', '2026-03-03 00:00Z') AS kay \gset
SELECT t.force(4, :jan, 'due_at = ''2026-03-03 00:00Z'''), t.force(3, :kay, 'due_at = ''2026-03-02 23:59:59.999Z''') \g /dev/null
SELECT is(t.verdict(3, :ida), 'claimed', 'a holiday that is over when it leaves');
SELECT is((verdict::text, due_at), ('moved'::text, '2026-03-04 00:00Z'::timestamptz), 'one that has begun by then') FROM t.claim(4, :jan);
SELECT is(t.verdict(3, :kay), 'moved', 'one that is not over');

-- a place under a cap
UPDATE followup.assistant SET daily_cap = 5 WHERE id = 5;
SELECT t.due(5, 'lea', '2026-03-03 00:00Z') AS lea, t.due(5, 'max', '2026-03-03 00:00:00.01Z') AS max \gset
SELECT is((cap_day, t.verdict(5, id)), ('2026-03-03'::date, 'claimed'::text), 'a place of the day on which it leaves') FROM followup.message WHERE id = :lea;
SELECT is((SELECT cap_day FROM followup.message WHERE id = :lea), '2026-03-03', 'is kept');
SELECT t.force(5, :max, 'cap_day = ''2026-03-02''') \g /dev/null
SELECT is(t.verdict(5, :max), 'moved', 'a place of the day before, which is over when it leaves, is no place');

-- a hold
SELECT t.due(1, 'ned', '2026-03-03 00:00Z') AS ned, t.due(1, 'oda', '2026-03-03 00:00Z') AS oda \gset
UPDATE followup.conversation SET hold_until = '2026-03-03 00:00Z' WHERE id = (t.conversation_of(1, :ned)).id;
UPDATE followup.conversation SET hold_until = '2026-03-03 00:00:00.000001Z' WHERE id = (t.conversation_of(1, :oda)).id;
SELECT is(t.verdict(1, :ned), 'claimed', 'a hold that is over when it leaves');
SELECT is((verdict::text, due_at), ('moved'::text, '2026-03-03 00:00:00.000001Z'::timestamptz), 'one that is not') FROM t.claim(1, :oda);

-- late
UPDATE followup.account SET late_after = '1 second', late_action = 'hold' WHERE id = 6;
SELECT t.due(6, 'pam', '2026-03-03 00:00Z') AS pam \gset
SELECT is(t.verdict(6, :pam), 'claimed', 'what is early is not late');

-- a pause, a suppression, a stop
SELECT t.due(7, 'quinn', '2026-03-03 00:00Z') AS quinn, t.due(6, 'roy', '2026-03-03 00:00Z') AS roy, t.due(6, 'sue', '2026-03-03 00:00Z') AS sue, t.due(6, 'tom', '2026-03-03 00:00Z') AS tom \gset
UPDATE followup.account SET paused_at = followup.now() WHERE id = 7;
SELECT is((t.verdict(7, :quinn), t.state(7, :quinn)), ('gone'::text, 'scheduled'::text), 'a paused account: not claimed, and kept');
UPDATE followup.account SET paused_at = NULL WHERE id = 7;
SELECT is(t.verdict(7, :quinn), 'claimed', 'a claim, early');
SELECT is(followup.pause(7), ARRAY[:quinn]::bigint[], 'a pause after it lists the message, due or not');
SELECT followup.suppress(6, 'roy@people.example', 'asked', 'person') \g /dev/null
SELECT is((t.verdict(6, :roy), t.state(6, :roy)), ('gone'::text, 'cancelled'::text), 'a suppressed address');
SELECT followup.stop_messaging(6, ARRAY[t.lead_of(6, :sue)]) \g /dev/null
SELECT is((t.verdict(6, :sue), t.state(6, :sue)), ('gone'::text, 'cancelled'::text), 'a stop before the claim');
SELECT is(t.verdict(6, :tom), 'claimed', 'a claim, early');
SELECT is(in_flight, ARRAY[:tom]::bigint[], 'a stop after it lists the message, due or not') FROM followup.stop_messaging(6, ARRAY[t.lead_of(6, :tom)]);
SELECT is((SELECT array_agg(message_id) FROM followup.unclaim_messages(t.me(), ARRAY[6]::bigint[], ARRAY[:tom]::bigint[], ARRAY[(SELECT epoch FROM followup.message WHERE id = :tom)])),
          NULL, 'given back, it is not scheduled again');
SELECT is((state::text, attempts, posts), ('cancelled'::text, 0, 0), 'it is cancelled, and was never sent') FROM followup.message WHERE id = :tom;

-- sent not before it was due, whoever tells
SELECT t.due(6, 'uma', '2026-03-03 00:00Z') AS uma, t.due(6, 'vic', '2026-03-03 00:00Z') AS vic \gset
SELECT is((t.verdict(6, :uma), t.verdict(6, :vic)), ('claimed'::text, 'claimed'::text), 'claimed, early');
SELECT ok(followup.record_event(6, 'sandbox', 'e-1', 'delivered', :uma, clock_timestamp() - '8 months'::interval), 'a provider''s clock that is wrong');
SELECT is((state::text, sent_at), ('delivered'::text, due_at), 'made it leave no sooner') FROM followup.message WHERE id = :uma;
SELECT ok((t.record(6, :vic, 'in_doubt')).accepted, 'a try in doubt');
SELECT is((SELECT state::text FROM followup.settle_in_doubt(6, :vic, 'sent')), 'sent', 'settled by a person');
SELECT is((state::text, sent_at), ('sent'::text, due_at), 'left when it was due') FROM followup.message WHERE id = :vic;
SELECT is((SELECT array_agg(invariant) FROM followup.wrong_message WHERE account_id = 6 AND invariant = 'sent_early' AND id IN (:uma, :vic)), NULL, 'no message was sent early');

-- a worker that dies before it is due
SELECT t.due(6, 'wes', '2026-03-03 00:00Z') AS wes \gset
SELECT is(t.verdict(6, :wes), 'claimed', 'a claim, early');
UPDATE followup.lease SET epoch = epoch + 1;
SELECT followup.doubt_orphans(t.shards(), 100) \g /dev/null
SELECT is(t.state(6, :wes), 'in_doubt', 'is in doubt at once, due or not');
SELECT * FROM finish();
