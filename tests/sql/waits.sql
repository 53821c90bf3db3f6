-- Who waits for whom, where two connections could have waited for each other.
\ir support/rules_world.sql
CREATE EXTENSION dblink;
SELECT plan(8);
CREATE FUNCTION t.conninfo() RETURNS text LANGUAGE sql AS $$
    SELECT format('host=%s port=%s dbname=%s user=%s', current_setting('unix_socket_directories'), current_setting('port'), current_database(), current_user) $$;
SELECT dblink_connect('other', t.conninfo()) \g /dev/null

-- A new name, together with what an action reads, keeps no foreign key's look at the row waiting.
SELECT dblink_exec('other', 'BEGIN') \g /dev/null
SELECT dblink_exec('other', $$ UPDATE followup.assistant SET name = 'Susan' WHERE account_id = 1 AND id = 1 $$) \g /dev/null
SELECT dblink_exec('other', $$ UPDATE followup.sequence SET name = 'Selling' WHERE account_id = 1 AND id = 1 $$) \g /dev/null
SELECT lives_ok('SELECT FROM followup.assistant WHERE account_id = 1 AND id = 1 FOR KEY SHARE NOWAIT', 'an assistant that is renamed can be referred to');
SELECT lives_ok('SELECT FROM followup.sequence WHERE account_id = 1 AND id = 1 FOR KEY SHARE NOWAIT', 'so can a sequence');
SELECT dblink_exec('other', 'ROLLBACK') \g /dev/null
SELECT throws_ok($$ INSERT INTO followup.assistant (account_id, name, from_address) VALUES (1, 'Sue', 'sue2@a.example') $$, '23505', NULL, 'its name is unique all the same');
SELECT throws_ok($$ INSERT INTO followup.sequence (account_id, name) VALUES (1, 'Sales') $$, '23505', NULL, 'and the sequence''s');

-- Two imports of the same new addresses, in calls of different order.
CREATE FUNCTION t.import(p_name text) RETURNS text LANGUAGE sql AS $$
    SELECT outcome || coalesce(': ' || reason, '') FROM followup.import_leads(1, jsonb_build_array(jsonb_build_object('email', p_name || '@i.example'))) $$;
BEGIN;
SELECT is(t.import('a'), 'imported', 'one has imported a');
SELECT dblink_send_query('other', $$ SELECT string_agg(t.import(n), ', ') FROM unnest('{b,a}'::text[]) AS n $$) \g /dev/null
DO $$ BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock') LOOP
        PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
    END LOOP;
END $$;
SELECT lives_ok($$ SELECT t.import('b') $$, 'and imports b, while the other, who began with b, waits for a');
COMMIT;
SELECT is((SELECT r FROM dblink_get_result('other') AS g (r text)), 'refused: email: is a lead already, refused: email: is a lead already', 'the other goes on and finds both there');
SELECT is((SELECT count(*) FROM followup.lead WHERE email LIKE '%@i.example'), 2::bigint, 'each is one lead');
SELECT * FROM finish();
