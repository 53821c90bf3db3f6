-- The zones of this server, and no others: a name that it does not know would stop whoever plans or claims by it. Run again
-- after an update of its time zone data.
-- AT TIME ZONE takes CET, EET, MET and WET for abbreviations, winter time all the year; as zones they have a summer.
INSERT INTO followup.timezone (key, name)
SELECT lower(z.name), min(CASE z.name WHEN 'CET' THEN 'Europe/Brussels' WHEN 'MET' THEN 'Europe/Brussels'
                                      WHEN 'EET' THEN 'Europe/Athens' WHEN 'WET' THEN 'Europe/Lisbon' ELSE z.name END)
  FROM pg_catalog.pg_timezone_names AS z
 WHERE z.name !~ '^(posix|right)/' AND z.name NOT IN ('localtime', 'posixrules', 'Factory')
 GROUP BY 1
    ON CONFLICT (key) DO UPDATE SET name = excluded.name;
DELETE FROM followup.timezone AS t
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS z WHERE z.name = t.name);
