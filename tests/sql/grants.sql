-- Who may call and read what.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1);
CREATE ROLE grants_engine LOGIN IN ROLE followup_engine;
CREATE ROLE grants_app LOGIN IN ROLE followup_app;
CREATE ROLE grants_nobody LOGIN;
GRANT USAGE ON SCHEMA t TO PUBLIC;
SELECT t.lead(1, 'ada') AS ada \gset
SELECT t.shards() AS shards, t.epochs() AS epochs \gset
\o
SELECT plan(12);
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'followup'::regnamespace
    AND pg_catalog.has_function_privilege('grants_nobody', p.oid, 'EXECUTE') $$, 'nobody may call anything without a role of ours');
SELECT is_empty($$ SELECT n FROM unnest(ARRAY['acquire_leases', 'claim_in_doubt', 'claim_messages', 'record_results', 'release_leases',
    'renew_leases', 'settle_by_policy', 'sweep_due', 'claim_mark', 'sweep_sending', 'unclaim_messages', 'worker_beat', 'record_event', 'clock', 'now']) AS n
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'followup'::regnamespace AND p.proname = n
                       AND pg_catalog.has_function_privilege('grants_engine', p.oid, 'EXECUTE')) $$, 'the daemon may call all of its functions');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'followup'::regnamespace
    AND p.proname IN ('claim_messages', 'record_results', 'acquire_leases', 'take_back', 'after_message', 'end_conversations')
    AND pg_catalog.has_function_privilege('grants_app', p.oid, 'EXECUTE') $$, 'pages may not call the engine''s, nor what is internal');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'followup'::regnamespace
    AND pg_catalog.has_function_privilege('grants_engine', p.oid, 'EXECUTE') AND p.prorettype <> 'trigger'::regtype
    AND NOT p.prosecdef AND p.provolatile = 'v' AND p.proname NOT IN ('clock', 'now') $$, 'what the daemon may call and writes runs as the owner');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'followup'::regnamespace
    AND p.prosecdef AND NOT coalesce(array_to_string(p.proconfig, ',') LIKE '%search_path=pg_catalog, pg_temp%', false) $$, 'what runs as the owner has its search_path fixed');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'followup'::regnamespace
    AND p.proname IN ('take_back', 'doubt_orphans', 'after_message', 'end_conversations', 'claim_refusals', 'record_retries')
    AND pg_catalog.has_function_privilege('followup_admin', p.oid, 'EXECUTE') $$, 'nor may operators call what is internal');
SELECT is_empty($$ SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.relnamespace = 'followup'::regnamespace
    AND c.relkind IN ('r', 'v', 'p') AND pg_catalog.has_table_privilege('grants_engine', c.oid, 'INSERT, UPDATE, DELETE') $$, 'the daemon writes no table itself');
SELECT throws_ok('SET ROLE grants_app; SELECT * FROM followup.message_to_load', '42501', NULL, 'pages do not read the loader''s view');
RESET ROLE;
SET ROLE grants_engine;
PREPARE claim AS SELECT verdict::text FROM followup.claim_messages('00000000-0000-0000-0000-00000000000a', :'shards', :'epochs', ARRAY[1]::bigint[], ARRAY[:ada]::bigint[], 'sandbox');
SELECT isnt_empty('SELECT * FROM followup.message_to_load', 'the daemon does');
SELECT results_eq('EXECUTE claim', ARRAY['claimed'], 'and claims');
SELECT lives_ok('SELECT * FROM followup.clock()', 'and reads the clock');
SELECT throws_ok('SELECT * FROM followup.after_message(''{}'', ''{}'')', '42501', NULL, 'but plans nothing itself');
RESET ROLE;
SELECT * FROM finish();
