-- Planning an instant: delays, windows, zones, the two days a year when clocks change.
BEGIN;
\ir support/rules_world.sql
SELECT plan(63);

-- local_instant
SELECT is(followup.local_instant('2026-03-29 02:30', 'Europe/Berlin'), '2026-03-29 01:30+00'::timestamptz, 'a gap: 02:30 becomes 03:30');
SELECT is(followup.local_instant('2026-10-25 02:30', 'Europe/Berlin'), '2026-10-25 00:30+00'::timestamptz, 'an overlap: the first pass');
SELECT is(followup.local_instant('2026-10-25 03:00', 'Europe/Berlin'), '2026-10-25 02:00+00'::timestamptz, 'the end of an overlap is not in it');
SELECT is(followup.local_instant('2026-10-25 01:59', 'Europe/Berlin'), '2026-10-24 23:59+00'::timestamptz, 'nor the minute before');
SELECT is(followup.local_instant('2026-04-05 01:45', 'Australia/Lord_Howe'), '2026-04-04 14:45+00'::timestamptz, 'an overlap of half an hour: the first pass');
SELECT is(followup.local_instant('2011-12-30 10:00', 'Pacific/Apia'), '2011-12-30 20:00+00'::timestamptz, 'a missing day: the next');
SELECT is(followup.local_instant('2026-11-01 01:30', 'America/New_York'), '2026-11-01 05:30+00'::timestamptz, 'New York''s overlap: the first pass');
SELECT is(followup.local_instant('2026-07-01 12:00', 'Asia/Kolkata'), '2026-07-01 06:30+00'::timestamptz, 'a day without a change');
SELECT throws_ok($$ SELECT followup.local_instant('2026-07-01 12:00', 'Mars/Base') $$, '22023', NULL, 'an unknown zone raises');
SELECT is_empty($$
    SELECT z.name, h FROM followup.timezone AS z
     CROSS JOIN generate_series('2026-01-01 00:10'::timestamp, '2026-12-31', '97 hours') AS h
     WHERE followup.local_instant(h, z.name) AT TIME ZONE z.name <> h AND h AT TIME ZONE z.name AT TIME ZONE z.name = h $$,
    'outside gaps an instant reads as the local time it came from, in every zone of the server');

-- Zones
SELECT ok(followup.known_timezone('Europe/Berlin') AND followup.known_timezone('europe/berlin'), 'IANA zones are known, in any case of letters');
SELECT ok(NOT followup.known_timezone(z), format('%s is no zone of a lead', coalesce(quote_literal(z), 'NULL')))
  FROM unnest(ARRAY['GMT+2', 'CEST', 'Nowhere', '', 'localtime', 'posix/Europe/Berlin']) AS z;
SELECT is(followup.known_timezone(NULL), false, 'NULL is no zone');
SELECT is(followup.lead_timezone('Asia/Tokyo', 'Europe/Berlin'), 'Asia/Tokyo', 'the lead''s zone');
SELECT is(followup.lead_timezone('GMT+2', 'Europe/Berlin'), 'Europe/Berlin', 'an unknown zone: the account''s');
SELECT is('2026-07-01 12:00'::timestamp AT TIME ZONE followup.lead_timezone('CET', 'UTC'), '2026-07-01 10:00+00'::timestamptz, 'CET as a zone has a summer');
SELECT is(followup.lead_timezone(NULL, 'Nowhere'), 'UTC', 'both unknown: UTC');

-- Delays
SET timezone = 'Europe/Berlin';
SELECT is(followup.plan_at(1, 'Europe/Berlin', NULL, '2026-03-28 12:00+00', '1 day', 'elapsed', NULL, 1), '2026-03-29 12:00+00'::timestamptz,
          'an elapsed day is 24 hours, whatever the zone of the session');
SET timezone = 'UTC';
SELECT is(followup.plan_at(1, 'Europe/Berlin', NULL, '2026-03-27 12:00+00', '2 days', 'business_days', NULL, 1), '2026-03-31 11:00+00'::timestamptz,
          'two business days over a weekend and a change of clocks: the same local time');
SELECT is(followup.plan_at(1, 'UTC', NULL, '2026-03-02 12:00+00', '2 days', 'elapsed', '2026-03-05 01:00+00', 1), '2026-03-05 01:00+00'::timestamptz, 'not before a bound');
SELECT is(followup.plan_at(1, 'UTC', NULL, '2026-03-02 12:00+00', '2 days', 'elapsed', '2026-03-03 01:00+00', 1), '2026-03-04 12:00+00'::timestamptz, 'a bound that has passed is no delay');

-- Windows: Monday to Friday 9 to 12 and 13 to 17 in the lead's zone
INSERT INTO followup.send_window (account_id, weekday, opens, closes)
SELECT 1, d, o.opens, o.closes FROM generate_series(1, 5) AS d, (VALUES ('09:00'::time, '12:00'::time), ('13:00', '17:00')) AS o (opens, closes);
SELECT is(followup.plan_at(1, c.zone, NULL, c.base, '0', 'elapsed', NULL, 1), c.expected, c.says)
  FROM (VALUES
    ('Europe/Berlin',    '2026-03-02 08:30+00'::timestamptz, '2026-03-02 08:30+00'::timestamptz, 'inside a window: at once'),
    ('Europe/Berlin',    '2026-03-02 07:59+00', '2026-03-02 08:00+00', 'before it opens: when it opens'),
    ('Europe/Berlin',    '2026-03-02 08:00+00', '2026-03-02 08:00+00', 'it opens inclusive'),
    ('Europe/Berlin',    '2026-03-02 11:00+00', '2026-03-02 12:00+00', 'it closes exclusive: the next window of the day'),
    ('Europe/Berlin',    '2026-03-02 16:00+00', '2026-03-03 08:00+00', 'after the last: the next day'),
    ('Europe/Berlin',    '2026-03-06 16:30+00', '2026-03-09 08:00+00', 'on Friday evening: Monday'),
    ('America/New_York', '2026-03-02 08:30+00', '2026-03-02 14:00+00', 'in the lead''s zone: New York opens later'),
    ('Asia/Tokyo',       '2026-03-02 08:30+00', '2026-03-03 00:00+00', 'in the lead''s zone: Tokyo has closed'),
    ('Europe/Berlin',    '2026-03-28 12:00+00', '2026-03-30 07:00+00', 'over the change of clocks: 9:00 of summer time')) AS c (zone, base, expected, says);
SELECT is(followup.plan_at(1, 'Europe/Berlin', NULL, '2026-03-02 08:30+00', '2 days', 'elapsed', '2026-03-07 00:00+00', 1), '2026-03-09 08:00+00'::timestamptz,
          'a bound is moved into the window too');
SELECT is(followup.plan_at(2, 'UTC', NULL, '2026-03-07 03:00+00', '0', 'elapsed', NULL, 1), '2026-03-07 03:00+00'::timestamptz, 'another account''s windows do not count');
DELETE FROM followup.send_window;
INSERT INTO followup.send_window (account_id, weekday, opens, closes) VALUES (1, 7, '02:00', '03:00');
SELECT is(followup.plan_at(1, 'Europe/Berlin', NULL, '2026-03-28 12:00+00', '0', 'elapsed', NULL, 1), '2026-04-05 00:00+00'::timestamptz,
          'a window that the gap swallows: the next one');
SELECT is(followup.plan_at(1, 'Europe/Berlin', NULL, '2026-10-24 12:00+00', '0', 'elapsed', NULL, 1), '2026-10-25 00:00+00'::timestamptz,
          'a window in an overlap: its first pass');
DELETE FROM followup.send_window;
INSERT INTO followup.send_window (account_id, weekday, opens, closes) VALUES (1, 3, '00:00', '24:00');
SELECT is(followup.plan_at(1, 'Europe/Berlin', NULL, '2026-03-05 12:00+00', '0', 'elapsed', NULL, 1), '2026-03-10 23:00+00'::timestamptz, 'a whole day a week');
SELECT is(followup.plan_at(1, 'Europe/Berlin', NULL, '2026-03-04 22:59+00', '0', 'elapsed', NULL, 1), '2026-03-04 22:59+00'::timestamptz, 'to its last minute');

-- The plan answers the first instant that the claim allows: on the nights of a change too, where a window's edge is an hour that
-- comes twice or not at all. Looked at minute by minute, from noon to the next morning.
CREATE FUNCTION t.disagreements(p_zone text, p_opens time, p_closes time, p_from timestamp) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_from timestamptz := p_from AT TIME ZONE p_zone;
BEGIN
    DELETE FROM followup.send_window WHERE account_id = 2;
    INSERT INTO followup.send_window (account_id, weekday, opens, closes) SELECT 2, d, p_opens, p_closes FROM generate_series(1, 7) AS d;
    RETURN (WITH minute AS MATERIALIZED (
                SELECT at, min(at) FILTER (WHERE followup.window_open(2, p_zone, 'UTC', NULL, at)) OVER (ORDER BY at DESC) AS first_open
                  FROM generate_series(v_from, v_from + '42 hours'::interval, '1 minute') AS at)
            SELECT count(*) || ', the first at ' || min(at) FROM minute
             WHERE at < v_from + '16 hours'::interval
               AND followup.plan_at(2, p_zone, NULL, at, '0', 'elapsed', NULL, 1) IS DISTINCT FROM first_open
            HAVING count(*) > 0);
END $$;
SELECT is(t.disagreements(zone, opens, closes, noon), NULL, format('plan and claim agree about %s-%s in %s from %s on', opens, closes, zone, noon))
  FROM (VALUES ('Europe/Berlin', '2026-07-01 12:00'::timestamp, '09:00'::time, '24:00'::time),
               -- 02:00 becomes 03:00
               ('Europe/Berlin', '2026-03-28 12:00', '02:30', '12:00'), ('Europe/Berlin', '2026-03-28 12:00', '00:00', '02:30'),
               ('Europe/Berlin', '2026-03-28 12:00', '02:00', '03:00'), ('Europe/Berlin', '2026-03-28 12:00', '02:15', '03:15'),
               -- 03:00 becomes 02:00
               ('Europe/Berlin', '2026-10-24 12:00', '02:30', '12:00'), ('Europe/Berlin', '2026-10-24 12:00', '00:00', '02:30'),
               ('Europe/Berlin', '2026-10-24 12:00', '02:15', '02:45'), ('Europe/Berlin', '2026-10-24 12:00', '02:00', '03:00'),
               -- 00:00 becomes 01:00, and 23:00
               ('America/Asuncion', '2015-10-03 12:00', '00:15', '01:15'), ('America/Asuncion', '2015-10-03 12:00', '00:00', '24:00'),
               ('America/Asuncion', '2015-03-21 12:00', '23:15', '23:45'), ('America/Asuncion', '2015-03-21 12:00', '00:00', '23:30'),
               -- 02:00 becomes 02:30, and 01:30
               ('Australia/Lord_Howe', '2026-10-03 12:00', '02:15', '02:45'), ('Australia/Lord_Howe', '2026-04-04 12:00', '01:35', '01:40'),
               -- 00:01 becomes 23:01 of the day before
               ('America/St_Johns', '2010-11-06 12:00', '23:30', '24:00'), ('America/St_Johns', '2010-11-06 12:00', '00:00', '00:30'),
               -- a day is missing
               ('Pacific/Apia', '2011-12-29 12:00', '10:00', '11:00'), ('Pacific/Apia', '2011-12-29 12:00', '00:00', '24:00')
       ) AS v (zone, noon, opens, closes);

SELECT is(followup.plan_at(1, 'Europe/Berlin', NULL, 'infinity', '2 days', 'elapsed', NULL, 1), 'infinity'::timestamptz, 'what is held for good stays so');

-- A lead's own zone reaches the message
INSERT INTO followup.lead (account_id, id, email, timezone, sequence_id, assistant_id)
VALUES (1, 9001, 'tokyo@l.example', 'Asia/Tokyo', 1, 1), (1, 9002, 'odd@l.example', 'GMT+2', 1, 1);
SELECT is(t.due(9001), '2026-03-03 15:00', 'a lead in Tokyo is planned in Tokyo''s window');
SELECT is(t.due(9002), '2026-03-03 23:00', 'a lead with an unknown zone in its account''s');

SELECT * FROM finish();
ROLLBACK;
