-- What a lead's values may not be, however they are written; and that a state is written without asking for them.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.lead(1, 'ada');
\o
SELECT plan(16);
CREATE TEMP TABLE bad (name text, value text);
INSERT INTO bad VALUES ('email', $$'nobody'$$), ('email', $$repeat('a', 310) || '@people.example'$$), ('first_name', $$E'A\nda'$$),
                       ('last_name', $$E'\tHill'$$), ('company', $$E'Fi\rrm'$$), ('fields', $$'[1]'$$);

SELECT throws_ok(format('UPDATE followup.lead SET %I = %s', name, value), '23514',
                 format('new row for relation "lead" violates check constraint "lead_%s_check"', name), 'no update writes ' || name || ' as ' || left(value, 20))
  FROM bad;
SELECT throws_ok(format('INSERT INTO followup.lead (account_id, %s%I) VALUES (1, %s%s)', CASE WHEN name <> 'email' THEN 'email, ' END, name,
                        CASE WHEN name <> 'email' THEN '''bob@people.example'', ' END, value), '23514',
                 format('new row for relation "lead" violates check constraint "lead_%s_check"', name), 'no insert writes ' || name || ' as ' || left(value, 20))
  FROM bad;
SELECT throws_ok($$ INSERT INTO followup.lead AS l (account_id, email) VALUES (1, 'ada@people.example')
                        ON CONFLICT (account_id, lower(email)) DO UPDATE SET company = E'a\nb' $$, '23514', NULL, 'nor does an insert that becomes an update');
SELECT lives_ok($$ UPDATE followup.lead SET first_name = NULL, last_name = NULL, company = NULL $$, 'a value that is not there is no bad one');
SELECT lives_ok($$ INSERT INTO followup.lead (account_id, email, first_name) VALUES (1, 'eve@people.example', 'Eve') $$, 'a good one is written');
SELECT is((SELECT count(*)::integer FROM followup.lead), 2, 'and nothing else was');
SELECT * FROM finish();
