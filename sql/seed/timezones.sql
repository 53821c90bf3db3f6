-- The zones of this server; run again after an update of its time zone data.
INSERT INTO followup.timezone (key, name)
SELECT lower(z.name), min(z.name)
  FROM pg_catalog.pg_timezone_names AS z
 WHERE z.name !~ '^(posix|right)/' AND z.name NOT IN ('localtime', 'posixrules', 'Factory')
 GROUP BY 1
    ON CONFLICT (key) DO NOTHING;
