-- Leads from rows: each line's outcome with its reason, and one bad line that never stops the others.
BEGIN;
SELECT plan(33);
SELECT followup.add_account('Acme', 'Europe/Berlin', p_postal_address => 'Street 1') AS a \gset
SELECT followup.add_user(:a, 'Rita', 'rita@acme.example') AS u \gset
SELECT followup.add_assistant(:a, 'Ada', 'ada@acme.example') AS s \gset
SELECT sequence_id AS q FROM followup.import_sequence(:a, '{"name": "W", "steps": [{"key": "one", "kind": "sequence", "delay": "0", "subject": "S", "body_text": "B"}]}') \gset
CREATE FUNCTION pg_temp.told(p_rows jsonb, p_duplicates text = 'refuse', p_strict boolean = false, p_sequence bigint = NULL) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', line, outcome, reason), ', ' ORDER BY line)
      FROM followup.import_leads((SELECT id FROM followup.account WHERE name = 'Acme'), p_rows, p_sequence, NULL, p_duplicates, p_strict)
$$;

SELECT is(pg_temp.told('[{"line": 2, "email": " ann@x.example ", "first_name": "Ann", "last_name": "Lee", "company": "X", "country": "DE", "timezone": "europe/paris", "external_id": "E1", "rep_email": "RITA@acme.example", "fields": {"shoe": "42"}}]'),
          '2 imported', 'a whole line is imported');
SELECT is((SELECT (email, first_name, last_name, company, country, timezone, external_id, rep_id, fields, state)::text FROM followup.lead WHERE account_id = :a),
          format('(ann@x.example,Ann,Lee,X,DE,Europe/Paris,E1,%s,"{""shoe"": ""42""}",new)', :u), 'every value is where it belongs');
SELECT is(pg_temp.told('[{"line": 2, "email": "b@x.example"}, {"line": 3, "email": "no"}, {"line": 4, "email": "c@x.example", "first_name": "a\nb"}, {"line": 5, "email": "d@x.example"}, {"line": 6}, {"line": 7, "email": "D@X.example"}]'),
          '2 imported, 3 refused email: is not an address, 4 refused first_name: holds a line break or another control character, 5 imported, 6 refused email: is missing, 7 refused email: line 5 has the same address',
          'bad lines are refused and the others imported');
SELECT is(pg_temp.told('[{"line": 2, "email": "e@x.example", "timezone": "Mars/X", "rep_email": "nobody@acme.example"}]'),
          '2 imported timezone: "Mars/X" is unknown, the account''s is used; rep_email: no user has nobody@acme.example, the lead has no representative', 'an unknown zone and representative are told');
SELECT is((SELECT (timezone, rep_id)::text FROM followup.lead WHERE account_id = :a AND email = 'e@x.example'), '(,)', 'and left out');
SELECT is(pg_temp.told('[{"line": 2, "email": "g@x.example", "external_id": "E1"}, {"line": 3, "email": "h@x.example", "external_id": "E2"}, {"line": 4, "email": "i@x.example", "external_id": "E2"}]'),
          '2 refused external_id: another lead has it, 3 imported, 4 refused external_id: an earlier line has it', 'an external id is one lead''s');
SELECT is(pg_temp.told('[{"line": 2, "email": "h@x.example"}]', 'update'), '2 refused email: an earlier line has the same address', 'calls of one transaction are one import');
SELECT is(pg_temp.told('[{"line": 2, "email": "k@x.example"}, {"line": 3, "email": "no"}]', p_strict => true), '2 withheld another line was refused, 3 refused email: is not an address', 'strict withholds the good lines');
SELECT is((SELECT count(*) FROM followup.lead WHERE account_id = :a AND email = 'k@x.example'), 0::bigint, 'strict writes nothing');
SELECT is(pg_temp.told('[{"line": 2, "email": "k@x.example"}]', p_strict => true), '2 imported', 'strict imports a clean list');
SELECT is(pg_temp.told('[]'), NULL, 'nothing is nothing');

-- The start of those that are new; a suppressed address is imported and never started.
SELECT count(*) AS n FROM followup.suppress(:a, 'no@x.example', 'asked', 'test') \gset
SELECT is(pg_temp.told('[{"line": 2, "email": "l@x.example"}, {"line": 3, "email": "no@x.example"}, {"line": 4, "email": "m@x.example", "timezone": "?"}]', p_sequence => :q),
          '2 imported, 3 imported not started: suppressed, 4 imported timezone: "?" is unknown, the account''s is used', 'the new leads are started, or the reason is told');
SELECT is((SELECT string_agg(email || ' ' || state, ', ' ORDER BY email) FROM followup.lead WHERE account_id = :a AND email IN ('l@x.example', 'm@x.example', 'no@x.example')),
          'l@x.example active, m@x.example active, no@x.example new', 'started ones are active');
SELECT is((SELECT count(*) FROM followup.message WHERE account_id = :a AND state = 'scheduled'), 2::bigint, 'each has its first message');

-- Mistakes of the call
SELECT throws_ok(format($$SELECT followup.import_leads(%s, '{}')$$, :a), '22023', 'rows: must be a list of at most 20000', 'rows are a list');
SELECT throws_ok(format($$SELECT followup.import_leads(%s, NULL)$$, :a), '22023', 'rows: must be a list of at most 20000', 'NULL is no list');
SELECT throws_ok(format($$SELECT followup.import_leads(%s, '[]', p_duplicates => 'merge')$$, :a), '22023', 'duplicates: "merge" is none of update, skip, refuse', 'duplicates is one of three');
SELECT throws_ok(format($$SELECT followup.import_leads(%s, '[]', 0)$$, :a), '22023', 'sequence: there is no sequence 0', 'an unknown sequence is refused');
SELECT throws_ok(format($$SELECT followup.import_leads(%s, '[]', p_assistant => 0)$$, :a), '22023', 'assistant: there is no assistant 0', 'an unknown assistant is refused');
SELECT throws_ok($$SELECT followup.import_leads(0, '[]')$$, '22023', 'there is no account 0', 'an unknown account is refused');
SELECT throws_ok(format($$SELECT followup.import_leads(%s, '[]', p_actor => %s)$$, :a, :u), '42501', 'Rita has no permission to import', 'a rep imports nothing');

-- Duplicates of leads that were there before: another transaction's
COMMIT;
BEGIN;
SELECT is(pg_temp.told('[{"line": 2, "email": "ANN@x.example"}]'), '2 refused email: is a lead already', 'a known address is refused');
SELECT is(pg_temp.told('[{"line": 2, "email": "ann@x.example", "first_name": "Anna"}]', 'skip'), '2 skipped email: is a lead already', 'or skipped');
SELECT is((SELECT first_name FROM followup.lead WHERE email = 'ann@x.example'), 'Ann', 'a skipped lead is as it was');
SELECT is(pg_temp.told('[{"line": 2, "email": "ann@x.example", "first_name": "Anna", "company": "", "fields": {"hat": "M"}}, {"line": 3, "email": "n@x.example"}]', 'update'), '2 updated, 3 imported', 'or updated');
SELECT is((SELECT (first_name, company, fields, external_id)::text FROM followup.lead WHERE email = 'ann@x.example'), '(Anna,X,"{""hat"": ""M"", ""shoe"": ""42""}",E1)', 'a blank value keeps what is there');
SELECT is(pg_temp.told('[{"line": 2, "email": "l@x.example", "first_name": "L"}]', 'update', p_sequence => :q), '2 updated', 'an update starts nobody');
SELECT is(pg_temp.told('[{"line": 2, "email": "b@x.example", "external_id": "E2"}]', 'update'), '2 refused external_id: another lead has it', 'an update takes no other lead''s id');
SELECT is((SELECT count(*) FROM followup.conversation WHERE account_id = :a), 2::bigint, 'no second conversation');
COMMIT;

-- 3000 rows in one call, a third of them bad
BEGIN;
SELECT is((SELECT string_agg(outcome || ' ' || n, ', ' ORDER BY outcome) FROM (
              SELECT outcome, count(*) AS n FROM followup.import_leads(:a,
                  (SELECT jsonb_agg(jsonb_build_object('line', i, 'email', CASE WHEN i % 3 = 0 THEN 'bad' ELSE 'z' || i || '@x.example' END)) FROM generate_series(1, 3000) AS i), :q)
               GROUP BY 1) AS x), 'imported 2000, refused 1000', 'good lines go in however many are bad');
SELECT is((SELECT count(*) FROM followup.message WHERE account_id = :a AND state = 'scheduled'), 2002::bigint, 'and each is started');
SELECT throws_ok(format($$SELECT followup.import_leads(%s, (SELECT jsonb_agg('{}'::jsonb) FROM generate_series(1, 20001)))$$, :a), '22023', 'rows: must be a list of at most 20000', 'a call has a bound');
SELECT is(pg_temp.told('[{"line": 2, "email": "p@x.example", "fields": [1]}, {"line": 3, "email": "q@x.example", "first_name": 7}]'), '2 refused fields: is no JSON object, 3 imported', 'fields are an object');
SELECT * FROM finish();
ROLLBACK;
