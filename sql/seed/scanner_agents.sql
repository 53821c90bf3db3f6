-- What scanners and link previews call themselves. Operators add their own; what they delete comes back with the next migrate.
SET ROLE followup_owner;
INSERT INTO followup.scanner_agent (pattern)
SELECT unnest(ARRAY['bot', 'crawler', 'spider', 'scanner', 'preview', 'imageproxy', 'barracuda', 'mimecast', 'proofpoint', 'safelinks',
                    'trendmicro', 'symantec', 'forcepoint', 'fireeye', 'headless', 'phantomjs', 'curl/', 'wget/', 'python-',
                    'go-http-client', 'java/', 'okhttp', 'libwww', 'httpclient'])
    ON CONFLICT DO NOTHING;
RESET ROLE;
