-- /u/{token}: GET shows, POST acts, scanners are counted apart; and no lead mail without postal address.
\ir support/engine.sql
\ir support/inbox.sql
\o /dev/null
SELECT t.account(1);
\o
SELECT plan(37);
SELECT t.sent('ada') AS ada \gset
SELECT unsubscribe_token AS token FROM followup.lead WHERE id = t.lead_of(1, :ada) \gset
CREATE FUNCTION t.hits() RETURNS text LANGUAGE sql AS $$ SELECT concat_ws(' ', gets, posts, scanner_gets, scanner_posts) FROM followup.unsubscribe_hit $$;
UPDATE followup.message SET sent_at = sent_at - interval '1 minute' WHERE id = :ada;
SELECT results_eq(format('SELECT * FROM followup.unsubscribe_page(%L, ''Mozilla/5.0'')', :'token'), $$ VALUES ('Account 1', 'a***@People.example', false) $$, 'GET shows who writes, and the address masked');
SELECT is(t.lead_state(:ada) || ' ' || t.hits(), 'active/sequence 1 0 0 0', 'it changes nothing, and is counted');
SELECT is_empty(format('SELECT * FROM followup.unsubscribe_page(%L)', x), 'nobody''s: ' || coalesce(x, 'NULL'))
  FROM unnest(ARRAY[gen_random_uuid()::text, '', 'x', :'token' || '0', '{' || :'token' || '}', NULL]) AS x;
SELECT is_empty(format('SELECT * FROM followup.unsubscribe_by_token(%L)', x), 'nor does POST: ' || coalesce(x, 'NULL')) FROM unnest(ARRAY[gen_random_uuid()::text, '../etc', NULL]) AS x;
SELECT throws_ok(format('SELECT * FROM followup.unsubscribe_by_token(%L, NULL, ''GET'')', :'token'), '22023', NULL, 'a GET never acts');

-- Scanners
SELECT is((SELECT count(*) FROM unnest(ARRAY['Mozilla/5.0 (compatible; Googlebot/2.1)', 'Barracuda Sentinel', 'curl/7.88', 'python-requests/2.28', '', NULL]) AS a
            WHERE (SELECT address FROM followup.unsubscribe_page(:'token', a)) IS NOT NULL), 6::bigint, 'what calls itself a scanner, or nothing, sees the page');
SELECT is(t.hits(), '1 0 6 0', 'and is counted apart');
UPDATE followup.message SET sent_at = followup.now() - interval '3 s' WHERE id = :ada;
SELECT count(*) FROM followup.unsubscribe_page(:'token', 'Mozilla/5.0') \g /dev/null
SELECT is(t.hits(), '1 0 7 0', 'so is whoever comes within seconds of the mail''s leaving');
UPDATE followup.message SET sent_at = followup.now() - interval '1 hour' WHERE id = :ada;
SELECT t.told(:ada, 'delivered') \g /dev/null
SELECT count(*) FROM followup.unsubscribe_page(:'token', 'Mozilla/5.0') \g /dev/null
SELECT is(t.hits(), '1 0 8 0', 'or of its delivery');
SELECT results_eq(format('SELECT * FROM followup.unsubscribe_by_token(%L, ''Barracuda'')', :'token'), $$ VALUES ('Account 1', 'a***@People.example', true, true) $$, 'a POST acts, whoever sends it');
SELECT is(t.lead_state(:ada) || ' ' || t.lead_messages(:ada) || ' ' || t.suppressed('ada') || ' ' || t.hits(), 'unsubscribed one:delivered two:cancelled unsubscribed 1 0 8 1', 'at once, and is counted');
UPDATE followup.provider_event SET occurred_at = occurred_at - interval '1 minute';
SELECT results_eq(format('SELECT * FROM followup.unsubscribe_by_token(%L, ''Mozilla/5.0'')', upper(:'token')), $$ VALUES ('Account 1', 'a***@People.example', true, false) $$, 'again: the same answer');
SELECT is((SELECT unsubscribed FROM followup.unsubscribe_page(:'token', 'Mozilla/5.0')), true, 'the page says so');
SELECT is(t.hits(), '2 1 8 1', 'each is counted once');
SELECT is(count(*), 1::bigint, 'and done once') FROM followup.activity WHERE action = 'unsubscribe';

-- The daemon may call them, and nothing beneath
CREATE ROLE link_engine LOGIN IN ROLE followup_engine;
SET ROLE link_engine;
SELECT lives_ok(format('SELECT * FROM followup.unsubscribe_page(%L)', :'token'), 'the daemon shows the page');
SELECT lives_ok(format('SELECT * FROM followup.unsubscribe_by_token(%L)', :'token'), 'and acts');
SELECT lives_ok('SELECT * FROM followup.apply_inbox(10)', 'and applies the inbox');
SELECT lives_ok('SELECT followup.message_of_fu_id(1, ''1-1-1'')', 'and reads our id');
SELECT lives_ok('SELECT * FROM followup.events_may_be_missing()', 'and asks what may be missing');
SELECT throws_ok('SELECT followup.judge_account(1)', '42501', NULL, 'it judges nobody itself');
RESET ROLE;

-- Postal address
INSERT INTO followup.account (id, name) VALUES (50, 'Bare') RETURNING id AS bare \gset
CREATE FUNCTION t.import(p_account bigint, p_html text = NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM followup.import_sequence(p_account, jsonb_build_object('name', 'S', 'steps', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('key', 'a', 'kind', 'sequence', 'delay', '0', 'subject', 'S', 'body_text', 'B', 'body_html', p_html)))));
    RETURN 'done';
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN SQLERRM;
END $$;
SELECT is(t.import(:bare), format('account %s (Bare) has no postal address, which every message to a lead must show', :bare), 'a sequence of an account without a postal address is refused');
SELECT is_empty('SELECT FROM followup.sequence WHERE account_id = ' || :bare, 'nothing of it stays');
SELECT throws_ok(format('WITH s AS (INSERT INTO followup.sequence (account_id, name) VALUES (%s, ''S'') RETURNING account_id, id) INSERT INTO followup.sequence_version (account_id, sequence_id, version) SELECT account_id, id, 1 FROM s', :bare),
                 '22023', NULL, 'by hand too');
UPDATE followup.account SET postal_address = 'Street 1' WHERE id = :bare;
SELECT is(t.import(:bare), 'done', 'with one it goes in');
SELECT throws_ok(format('UPDATE followup.account SET postal_address = %s WHERE id = %s', x, :bare), '22023', NULL, 'then the address may not go: ' || x) FROM unnest(ARRAY['NULL', ''' ''']) AS x;
SELECT lives_ok(format('UPDATE followup.account SET postal_address = ''Street 2'' WHERE id = %s', :bare), 'but change');
SELECT is(t.import(:bare, '<p>x</p><!-- {{unsubscribe_link}} -->'), 'step 1 (a) body_html: unsubscribe_link stands in a comment, where nobody sees it', 'a link that nobody sees');
SELECT is(t.import(:bare, '<!-- a --><a href="{{ unsubscribe_link }}">out</a><!-- {{postal_address}} -->{{postal_address}}'), 'done', 'one that is seen');
SELECT * FROM finish();
