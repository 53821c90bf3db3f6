-- erase_lead: nothing that is stored of a lead stays but the number of its id; a stop outlives it.
\ir support/engine.sql
\ir support/inbox.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT plan(33);

-- A lead of whom everything is there: a message that left, events, replies with and without it, a hit on its link, CRM, bulk, notes.
SELECT t.sent('ada', 'p-ada') AS ada, t.sent('bea', 'p-bea') AS bea \gset
SELECT t.lead_of(1, :ada) AS lead, t.lead_of(1, :bea) AS other \gset
UPDATE followup.lead SET first_name = 'Adalovelace', crm_source = 'HigherGear', crm_status = '13', external_id = 'X-ada' WHERE id = :lead;
SELECT t.told(:ada, 'delivered', '{"recipient": "Ada@people.example"}') \g /dev/null
SELECT t.told(:ada, 'bounced', '{"recipient": "ada@people.example", "type": "nothing known", "status": "4.2.2"}') \g /dev/null
SELECT t.receive(t.event(999999, 'opened', p_more => '{"recipient": "ADA@people.example", "fu_id": "1-999999-1"}')), t.apply() \g /dev/null
SELECT t.told(:bea, 'delivered', '{"recipient": "bea@people.example"}') \g /dev/null
SELECT t.receive(jsonb_build_object('event_id', 'mail', 'kind', 'replied', 'from', 'Private@Home.example', 'subject', 'Re: Hello', 'text', 'From Adalovelace at home',
       'message_id', '<home@x>', 'in_reply_to', (SELECT rfc_message_id FROM followup.message WHERE id = :ada))), t.apply() \g /dev/null
SELECT t.receive(jsonb_build_object('event_id', 'mail2', 'kind', 'replied', 'from', 'ada@people.example', 'dmarc', 'fail', 'subject', 'Who?', 'text', 'Forged, Adalovelace', 'message_id', '<forged@x>')), t.apply() \g /dev/null
SELECT followup.set_status(1, ARRAY[:lead], 'satisfied', p_note => 'Adalovelace is away') \g /dev/null
SELECT followup.crm_status(1, 'HigherGear', 'X-ada', '14') \g /dev/null
SELECT followup.unsubscribe_page(unsubscribe_token::text) FROM followup.lead WHERE id = :lead \g /dev/null
SELECT followup.bulk_plan(1, 'skip', 'state=active') \g /dev/null
SELECT is((SELECT count(*) FROM followup.reply WHERE account_id = 1), 2::bigint, 'both mails are kept');

-- Every row of every table as text.
CREATE FUNCTION t.mentions(p_pattern text) RETURNS TABLE (t regclass, n bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOR t IN SELECT c.oid FROM pg_class AS c WHERE c.relnamespace = 'followup'::regnamespace AND c.relkind = 'r' LOOP
        EXECUTE format('SELECT count(*) FROM %s AS x WHERE x::text ~* %L', t, p_pattern) INTO n;
        IF n > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;
SELECT set_eq($$ SELECT t::text FROM t.mentions('adalovelace|ada@people|private@home|home@x|X-ada') $$,
              $$ SELECT 'followup.' || t FROM unnest('{activity,lead,message,provider_event,reply}'::text[]) AS t $$, 'it is all over the database');

-- Who may
SELECT throws_ok(format('SET SESSION AUTHORIZATION followup_app; SELECT followup.erase_lead(1, ARRAY[%s])', :lead), NULL, NULL, 'nobody without an actor');
RESET SESSION AUTHORIZATION;
INSERT INTO followup.app_user (account_id, id, name, email, profile) VALUES (1, 51, 'Max', 'max@firm.example', 'manager'), (1, 52, 'Eve', 'eve@firm.example', 'administrator');
SELECT is(reason::text, 'not_permitted', 'a manager does not erase') FROM followup.erase_lead(1, ARRAY[:lead], 51);
SELECT is(reason::text, 'not_found', 'an unknown lead') FROM followup.erase_lead(1, ARRAY[424242]);
SELECT is(reason::text, 'not_found', 'a lead of another account') FROM followup.erase_lead(2, ARRAY[:lead]);
SELECT is((SELECT count(*) FROM followup.lead WHERE id = :lead), 1::bigint, 'it is there still');

-- Not while something of it is on its way
SELECT t.lead(1, 'cid') AS cid, t.lead(1, 'dan') AS dan \gset
SELECT is(t.verdict(1, :cid), 'claimed', 'one is being sent');
SELECT t.lead_of(1, :cid) AS sending, t.lead_of(1, :dan) AS idle \gset
SELECT results_eq(format('SELECT lead_id, done, reason::text, in_flight FROM followup.erase_lead(1, ARRAY[%s, %s])', :sending, :idle),
                  format('VALUES (%s::bigint, false, ''in_flight'', ARRAY[%s]::bigint[]), (%s, true, NULL, ''{}'')', :sending, :cid, :idle), 'its lead stays, the other goes');
SELECT is((SELECT t.state(1, :cid)), 'sending', 'nothing of it is touched');
SELECT is(t.verdict(1, :dan), 'gone', 'what was scheduled of the other is gone');
SELECT t.record(1, :cid, 'in_doubt') AS ignored \gset
SELECT is(reason::text, 'in_flight', 'nor while it is in doubt') FROM followup.erase_lead(1, ARRAY[:sending]);

-- Gone
SELECT is((SELECT (done, reason)::text FROM followup.erase_lead(1, ARRAY[:lead], 52, 'asked in writing')), '(t,)', 'an administrator erases');
SELECT is_empty($$ SELECT * FROM t.mentions('adalovelace|ada@people|private@home|home@x|X-ada') $$, 'no table knows it');
SELECT is_empty(format('SELECT * FROM followup.message WHERE lead_id = %s', :lead), 'no message');
SELECT is_empty(format('SELECT * FROM followup.attempt WHERE message_id = %s', :ada), 'nor what left');
SELECT results_eq(format('SELECT actor, action, note, detail FROM followup.activity WHERE lead_id = %s', :lead), $$ VALUES ('user:52', 'erase', 'asked in writing', NULL::jsonb) $$, 'but who erased which id');
SELECT is_empty('SELECT * FROM followup.erased_address', 'it might be written to again');
SELECT is((t.state(1, :bea), (SELECT count(*) FROM followup.provider_event WHERE message_id = :bea)), ('delivered'::text, 1::bigint), 'another lead keeps what it has');
SELECT is_empty('SELECT * FROM followup.invariants(true) WHERE broken > 0', 'and nothing is wrong');

-- A stop outlives it
SELECT followup.unsubscribe(1, :other) \g /dev/null
SELECT is((SELECT done FROM followup.erase_lead(1, ARRAY[:other])), true, 'an unsubscribed one');
SELECT is_empty($$ SELECT * FROM t.mentions('bea@people') $$, 'not even on the suppression list');
SELECT is((SELECT reason FROM followup.erased_address), 'unsubscribed', 'a hash knows why');
INSERT INTO followup.lead (account_id, email) VALUES (2, 'bea@people.example');
SELECT is_empty($$ SELECT * FROM followup.suppression WHERE address = 'bea@people.example' $$, 'another account has nothing to do with it');
INSERT INTO followup.lead (account_id, email, sequence_id, assistant_id) VALUES (1, 'BEA@people.example', 1, 1) RETURNING id AS again \gset
SELECT is((SELECT (reason, source)::text FROM followup.suppression WHERE account_id = 1 AND address = 'bea@people.example'), '(unsubscribed,erase_lead)', 'who comes with the address is suppressed');
SELECT is((SELECT state::text FROM followup.lead WHERE id = :again), 'new', 'and not started');
SELECT is(reason::text, 'suppressed', 'nor by hand') FROM followup.start_follow_up(1, ARRAY[:again], 1, 1);
DELETE FROM followup.lead WHERE id = :again;
DELETE FROM followup.suppression WHERE account_id = 1;
SELECT t.lead_of(1, t.lead(1, 'eva')) AS eva \gset
UPDATE followup.lead SET email = 'bea@people.example' WHERE id = :eva;
SELECT is((SELECT (state, sub_state)::text FROM followup.lead WHERE id = :eva), '(stopped,)', 'an active lead that is given it is stopped');
INSERT INTO followup.lead (account_id, email) VALUES (1, 'fay@people.example') RETURNING id AS fay \gset
SELECT is_empty($$ SELECT * FROM followup.suppression WHERE address = 'fay@people.example' $$, 'nobody else is');

-- A stopped lead whose address was on no list
SELECT t.lead_of(1, t.lead(1, 'gil')) AS gil \gset
SELECT followup.stop_messaging(1, ARRAY[:gil]) \g /dev/null
SELECT followup.erase_lead(1, ARRAY[:gil]) \g /dev/null
INSERT INTO followup.lead (account_id, email) VALUES (1, 'gil@people.example');
SELECT is((SELECT reason FROM followup.suppression WHERE address = 'gil@people.example'), 'stopped', 'a stop is a No for good');

-- A whole account
CREATE FUNCTION t.rows_of(p_account bigint) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    v_table regclass;
BEGIN
    FOR v_table IN SELECT a.attrelid FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
                    WHERE c.relnamespace = 'followup'::regnamespace AND c.relkind = 'r' AND a.attname = 'account_id' LOOP
        RETURN QUERY EXECUTE format('SELECT %L::text FROM %s WHERE account_id = %s LIMIT 1', v_table, v_table, p_account);
    END LOOP;
END $$;
SELECT t.alert(1), followup.receive_webhooks(ARRAY[1]::bigint[], ARRAY['main'], ARRAY['[{"event_id": "x", "kind": "opened"}]']::json[], ARRAY['token']),
       followup.apply_inbound_reply(1, '{"from": "x@y.example", "subject": "Re:", "text": "Hello?"}') \g /dev/null
UPDATE followup.assistant SET daily_cap = 5 WHERE account_id = 1;
SELECT cmp_ok(count(*), '>=', 20::bigint, 'nearly every table has rows of it') FROM t.rows_of(1);
DELETE FROM followup.account WHERE id = 1;
SELECT is_empty('SELECT * FROM t.rows_of(1)', 'no table has when it is deleted');
SELECT isnt_empty('SELECT * FROM t.rows_of(2)', 'another account stays');
SELECT * FROM finish();
