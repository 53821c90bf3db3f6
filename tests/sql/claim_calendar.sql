-- At the claim: holidays, the day of a cap's place, and what lateness does with both.
\ir support/engine.sql
\ir support/no_replan.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT plan(21);
CREATE FUNCTION t.today() RETURNS date LANGUAGE sql AS $$ SELECT (followup.now() AT TIME ZONE 'UTC')::date $$;

-- holidays
SELECT t.lead(1, 'ada') AS ada, t.lead(1, 'ben') AS ben, t.lead(1, 'cid') AS cid \gset
UPDATE followup.lead SET country = 'AT' WHERE id = t.lead_of(1, :ada);
INSERT INTO followup.holiday (country, date, name) SELECT 'at', t.today() + n, 'holidays' FROM generate_series(-1, 1) AS n;
SELECT is(t.verdict(1, :ada), 'moved', 'on a holiday of the lead''s country: moved');
SELECT is((due_at AT TIME ZONE 'UTC')::date, t.today() + 2, 'past the holidays') FROM followup.message WHERE id = :ada;
SELECT matches(planned_reason, '^planned anew: it could not leave at', 'and says so') FROM followup.message WHERE id = :ada;
SELECT is(t.verdict(1, :ben), 'claimed', 'a lead of no country has no such holiday');
INSERT INTO followup.holiday (account_id, date, name) SELECT 1, t.today() + n, 'the firm is closed' FROM generate_series(-1, 1) AS n;
SELECT is(t.verdict(1, :cid), 'moved', 'but the account''s own');
SELECT t.lead(2, 'dan') AS dan \gset
SELECT is(t.verdict(2, :dan), 'claimed', 'which are not another account''s');
SELECT t.alert(1) AS alert \gset
SELECT is(t.verdict(1, :alert), 'claimed', 'an alert knows no holiday');
SELECT t.lead(1, 'eva') AS eva \gset
SELECT t.set(1, :eva, 'forced = true, due_at = followup.now() - ''1 second''::interval');
SELECT is(t.verdict(1, :eva), 'claimed', 'nor does a forced message');
DELETE FROM followup.holiday;

-- an account that is closed for good: no instant, and nobody spins on it
SELECT t.lead(1, 'fay') AS fay \gset
INSERT INTO followup.holiday (account_id, date, name) SELECT 1, t.today() + n, 'closed' FROM generate_series(-1, 410) AS n;
SELECT is((t.verdict(1, :fay), t.verdict(1, :fay)), ('gone'::text, 'gone'::text), 'no open day within 400: gone, for good');
SELECT is((state::text, due_at), ('scheduled'::text, 'infinity'::timestamptz), 'kept, without a due time') FROM followup.message WHERE id = :fay;
DELETE FROM followup.holiday;

-- the day of a place under a cap
SELECT t.lead(2, 'gus') AS gus, t.lead(2, 'hal') AS hal, t.lead(2, 'ida') AS ida \gset
UPDATE followup.assistant SET daily_cap = 1 WHERE id = 2;
SELECT t.set(2, :gus, 'cap_assistant_id = 2, due_at = (t.today() - 1 + ''23:59:59''::time) AT TIME ZONE ''UTC''');
SELECT is((SELECT cap_day FROM followup.message WHERE id = :gus), t.today() - 1, 'a place yesterday, too late to use it');
SELECT t.set(2, :gus, 'due_at = due_at');
UPDATE followup.account SET late_after = '3 days' WHERE id = 2;
SELECT is(t.verdict(2, :gus), 'moved', 'it needs one of today');
SELECT is((SELECT cap_day FROM followup.message WHERE id = :gus), t.today(), 'and gets the free one');
SELECT is(t.verdict(2, :gus), 'claimed', 'so it leaves at once');
SELECT t.set(2, :hal, 'cap_assistant_id = 2, due_at = (t.today() - 1 + ''23:59:59''::time) AT TIME ZONE ''UTC''');
SELECT is(t.verdict(2, :hal), 'moved', 'the next one finds today full');
SELECT is(c.due_at, m.due_at, 'the verdict tells the due time that the cap gave it') FROM t.claim(2, :hal) AS c JOIN followup.message AS m ON m.id = c.message_id;
SELECT is((SELECT cap_day FROM followup.message WHERE id = :hal), t.today() + 1, 'tomorrow');
SELECT is((SELECT array_agg(used ORDER BY day) FROM followup.cap_use WHERE assistant_id = 2), '{0,1,1}', 'yesterday''s places are free, today''s and tomorrow''s are taken');

-- a retry keeps its place; given up, it is another's
SELECT (t.record(2, :gus, 'retry')).accepted AS ok \gset
SELECT is((SELECT used FROM followup.cap_use WHERE assistant_id = 2 AND day = t.today()), 1, 'a try that did not leave keeps its place');
SELECT t.set(2, :gus, 'due_at = followup.now()');
SELECT is(t.verdict(2, :gus), 'claimed', 'and goes again');
SELECT (t.record(2, :gus, 'rejected')).accepted AS ok \gset
SELECT is((SELECT used FROM followup.cap_use WHERE assistant_id = 2 AND day = t.today()), 0, 'refused by the provider: given back');
SELECT * FROM finish();
