-- The table of docs/time.md, row for row: what the days on which clocks change make of windows, holidays and business days.
-- (tests/system/test_plan_property.py holds the page and this list together, and both against its oracle.)
BEGIN;
\ir support/rules_world.sql
CREATE TABLE t.change (no integer GENERATED ALWAYS AS IDENTITY, zone text, windows text, holidays text, base timestamptz, delay text,
                       planned timestamptz, says text);
INSERT INTO t.change (zone, windows, holidays, base, delay, planned, says) VALUES
    ('America/New_York', '-', '-', '2026-03-07 02:30-05', '1 day', '2026-03-08 03:30-04', '24 hours are 24 hours'),
    ('America/New_York', 'Sun 02:30-05:00', '-', '2026-03-07 12:00-05', '0', '2026-03-08 03:00-04', 'gap: it opens where the gap ends'),
    ('America/New_York', 'Sun 02:00-03:00', '-', '2026-03-07 12:00-05', '0', '2026-03-15 02:00-04', 'gap: the window is not there that day'),
    ('America/New_York', 'Sun 02:00-02:30', '-', '2026-03-07 12:00-05', '0', '2026-03-15 02:00-04', 'gap: nor is a part of the gap'),
    ('America/New_York', 'Sun 01:30-02:30', '-', '2026-03-08 03:00-04', '0', '2026-03-15 01:30-04', 'gap: it closes where the gap begins'),
    ('America/New_York', 'Sun 01:30-05:00', '-', '2026-10-31 12:00-04', '0', '2026-11-01 01:30-04', 'overlap: 01:30 comes twice, the first is meant'),
    ('America/New_York', 'Sun 01:00-02:00', '-', '2026-11-01 01:15-05', '0', '2026-11-01 01:15-05', 'overlap: in the second pass the window is open still'),
    ('America/New_York', 'Sun 01:30-02:00', '-', '2026-11-01 01:00-05', '0', '2026-11-01 01:30-05', 'overlap: in the second pass it opens again'),
    ('America/New_York', 'Sun 00:30-01:30', '-', '2026-11-01 01:45-04', '0', '2026-11-01 01:00-05', 'overlap: the second pass begins inside it'),
    ('America/New_York', 'Mon-Fri 09:00-17:00', '-', '2026-03-06 18:00-05', '0', '2026-03-09 09:00-04', 'Friday to Monday over a change: 9 o''clock of summer'),
    ('America/New_York', 'Mon-Fri 09:00-17:00', '-', '2026-03-06 16:30-05', '1 business day', '2026-03-09 16:30-04', 'Friday to Monday over a change: the same local time'),
    ('America/New_York', '-', '-', '2026-10-30 10:00-04', '1 business day', '2026-11-02 10:00-05', 'the same in autumn, without windows'),
    ('America/New_York', 'Mon-Fri 09:00-17:00', '2026-09-07', '2026-09-04 10:00-04', '1 business day', '2026-09-08 10:00-04', 'a Monday holiday: Tuesday'),
    ('Europe/Berlin', '-', '-', '2026-03-28 12:00+01', '1 day', '2026-03-29 13:00+02', '24 hours are 24 hours'),
    ('Europe/Berlin', 'Sat-Sun 00:00-24:00', '-', '2026-03-28 02:30+01', '1 business day', '2026-03-29 03:30+02', 'gap: 02:30 is 03:30'),
    ('Europe/Berlin', 'Sat-Sun 00:00-24:00', '-', '2026-10-24 02:30+02', '1 business day', '2026-10-25 02:30+02', 'overlap: the first pass'),
    ('Europe/Berlin', 'Mon-Fri 09:00-17:00', '-', '2026-03-27 17:30+01', '0', '2026-03-30 09:00+02', 'Friday to Monday over a change'),
    ('Europe/Berlin', 'Mon-Fri 09:00-17:00', '-', '2026-10-23 10:00+02', '1 business day', '2026-10-26 10:00+01', 'Friday to Monday over a change, in autumn'),
    ('Europe/Berlin', 'Mon-Fri 09:00-17:00', '2026-03-30', '2026-03-27 10:00+01', '1 business day', '2026-03-31 10:00+02', 'over a change to a Monday holiday: Tuesday'),
    ('Europe/Berlin', 'Mon-Fri 09:00-17:00', '2026-04-03, 2026-04-06', '2026-04-02 17:00+02', '0', '2026-04-07 09:00+02', 'Easter: from Thursday evening to Tuesday'),
    ('Asia/Tokyo', '-', '-', '2026-03-28 12:00+09', '1 day', '2026-03-29 12:00+09', 'no change of clocks, ever'),
    ('Asia/Tokyo', 'Mon-Fri 09:00-17:00', '-', '2026-03-27 16:30+09', '1 business day', '2026-03-30 16:30+09', 'Friday to Monday'),
    ('Asia/Tokyo', 'Mon-Fri 09:00-17:00', '2026-07-20', '2026-07-17 18:00+09', '0', '2026-07-21 09:00+09', 'a Monday holiday: Tuesday'),
    ('Asia/Tokyo', '-', '2026-07-20', '2026-07-20 10:00+09', '0', '2026-07-21 10:00+09', 'a holiday without windows: the same time of the next day'),
    ('Australia/Lord_Howe', '-', '-', '2026-04-04 12:00+11', '1 day', '2026-04-05 11:30+10:30', 'clocks move by half an hour'),
    ('Australia/Lord_Howe', 'Sun 02:15-04:00', '-', '2026-10-03 12:00+10:30', '0', '2026-10-04 02:30+11', 'gap of half an hour: it opens where the gap ends'),
    ('Australia/Lord_Howe', 'Sun 01:45-03:00', '-', '2026-04-04 12:00+11', '0', '2026-04-05 01:45+11', 'overlap of half an hour: the first pass'),
    ('Australia/Lord_Howe', 'Mon-Fri 09:00-17:00', '-', '2026-10-02 10:00+10:30', '1 business day', '2026-10-05 10:00+11', 'Friday to Monday over a change'),
    ('Australia/Lord_Howe', 'Mon-Fri 09:00-17:00', '2026-10-05', '2026-10-02 10:00+10:30', '1 business day', '2026-10-06 10:00+11', 'over a change to a Monday holiday: Tuesday'),
    ('Pacific/Apia', '-', '-', '2011-12-29 10:00-10', '1 day', '2011-12-31 10:00+14', '24 hours over a missing day'),
    ('Pacific/Apia', '-', '-', '2011-12-29 10:00-10', '1 business day', '2012-01-02 10:00+14', 'a missing Friday is no business day'),
    ('Pacific/Apia', 'Mon-Fri 09:00-17:00', '-', '2011-12-29 18:00-10', '0', '2012-01-02 09:00+14', 'the window of a missing Friday is not there'),
    ('Pacific/Apia', 'Fri 09:00-17:00', '-', '2011-12-29 12:00-10', '0', '2012-01-06 09:00+14', 'nor does it open on Saturday instead'),
    ('Pacific/Apia', '-', '2011-12-29', '2011-12-29 10:00-10', '0', '2011-12-31 10:00+14', 'past a holiday and a missing day'),
    ('Pacific/Apia', 'Sun 03:30-05:00', '-', '2020-09-26 12:00+13', '0', '2020-09-27 04:00+14', 'gap: it opens where the gap ends'),
    ('Pacific/Apia', 'Sun 03:30-05:00', '-', '2021-04-03 12:00+14', '0', '2021-04-04 03:30+14', 'overlap: the first pass'),
    ('Pacific/Apia', 'Mon-Fri 09:00-17:00', '-', '2020-09-25 10:00+13', '1 business day', '2020-09-28 10:00+14', 'Friday to Monday over a change'),
    ('Pacific/Apia', 'Mon-Fri 09:00-17:00', '2026-06-01', '2026-05-29 10:00+13', '1 business day', '2026-06-02 10:00+13', 'a Monday holiday: Tuesday'),
    ('America/Asuncion', 'Sun 00:15-01:15', '-', '2015-10-03 12:00-04', '0', '2015-10-04 01:00-03', 'gap at midnight: a quarter of an hour is left of it'),
    ('America/Asuncion', 'Sun 00:00-01:00', '-', '2015-10-03 12:00-04', '0', '2015-10-11 00:00-03', 'gap at midnight: the window is not there that day'),
    ('America/St_Johns', 'Sat 23:30-24:00', '-', '2010-11-07 00:00-02:30', '0', '2010-11-06 23:30-03:30', 'overlap over midnight: Saturday comes again');

-- 'Mon-Fri 09:00-17:00', '2026-04-03, 2026-04-06'; '-': none
CREATE FUNCTION t.plan(p_row t.change) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    c_days  constant text[] := '{Mon,Tue,Wed,Thu,Fri,Sat,Sun}';
    v_parts text[] := regexp_match(p_row.windows, '^(\w+)(?:-(\w+))? ([\d:]+)-([\d:]+)$');
BEGIN
    DELETE FROM followup.send_window;
    DELETE FROM followup.holiday;
    INSERT INTO followup.send_window (account_id, weekday, opens, closes)
    SELECT 1, d, v_parts[3]::time, v_parts[4]::time
      FROM generate_series(array_position(c_days, v_parts[1]), array_position(c_days, coalesce(v_parts[2], v_parts[1]))) AS d
     WHERE v_parts IS NOT NULL;
    INSERT INTO followup.holiday (country, date, name)
    SELECT 'XX', d::date, 'a holiday' FROM regexp_split_to_table(p_row.holidays, ', ') AS d WHERE d <> '-';
    RETURN followup.plan_at(1, p_row.zone, 'xx', p_row.base, replace(p_row.delay, 'business ', '')::interval,
        (CASE WHEN p_row.delay LIKE '%business%' THEN 'business_days' ELSE 'elapsed' END)::followup.delay_unit, NULL, 1);
END $$;

SELECT plan((SELECT count(*)::integer FROM t.change));
SELECT is(t.plan(c), c.planned, concat_ws(', ', c.zone, nullif(c.windows, '-'), c.says)) FROM t.change AS c ORDER BY c.no;
SELECT * FROM finish();
ROLLBACK;
