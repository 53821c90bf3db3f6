-- Two callers of apply_inbox, and a claim, at the same time. Each race is held in its worst moment by locks, so nothing here
-- depends on time.
\ir support/engine.sql
\ir support/inbox.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT plan(48);
-- A second session in a transaction of its own, until t.ends(): t.asks() answers what one text expression gives in it.
CREATE FUNCTION t.begins() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dblink_connect('other', format('host=%s port=%s dbname=%s user=%s', current_setting('unix_socket_directories'),
                                           current_setting('port'), current_database(), current_user));
    PERFORM dblink_exec('other', 'BEGIN; SET statement_timeout = ''20 s''');
END $$;
CREATE FUNCTION t.asks(p_expression text) RETURNS text LANGUAGE sql AS $$
    SELECT d.said FROM dblink('other', 'SELECT (' || p_expression || ')::text') AS d (said text) $$;
CREATE FUNCTION t.ends(p_how text = 'COMMIT') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dblink_exec('other', p_how);
    PERFORM dblink_disconnect('other');
END $$;
-- What one call applies.
CREATE FUNCTION t.apply_once(p_limit integer) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(applied || '/' || unmatched || '/' || failed || CASE WHEN more THEN ' more' ELSE '' END, ', '), 'nothing')
      FROM followup.apply_inbox(p_limit) $$;
SELECT t.apply() \g /dev/null

-- Two callers
SELECT t.sent('ada') AS ada, t.sent('ben') AS ben \gset
SELECT t.receive(t.event(:ada, 'delivered')), t.receive(t.event(:ben, 'delivered')) \g /dev/null
SELECT t.begins() \g /dev/null
SELECT is(t.asks('t.apply_once(1)'), '1/0/0 more', 'the first takes the oldest event');
SELECT is(t.apply_once(10), '1/0/0', 'the second takes the other one, and does not wait');
SELECT is(t.state(1, :ben), 'delivered', 'and has applied it');
SELECT t.ends('ROLLBACK') \g /dev/null
SELECT is(t.state(1, :ada), 'sent', 'the first ends without a commit');
SELECT is(t.apply() || ' ' || t.state(1, :ada), '1:1/0/0 delivered', 'so its event is there to be taken');

-- Two events of one lead in two hands
SELECT t.receive(t.event(:ada, 'opened')), t.receive(t.event(:ada, 'opened')), t.receive(t.event(:ben, 'opened')) \g /dev/null
SELECT t.begins() \g /dev/null
SELECT is(t.asks('t.apply_once(1)'), '1/0/0 more', 'the first of two events of a lead');
SELECT is(t.apply_once(10), '1/0/0', 'while it is not committed the other waits, and other leads'' do not');
SELECT t.ends() \g /dev/null
SELECT is((attempts, error, next_try_at > received_at), (0, NULL::text, true), 'for it is only put off') FROM followup.provider_event WHERE applied_at IS NULL;
UPDATE followup.provider_event SET next_try_at = clock_timestamp() WHERE next_try_at IS NOT NULL;
SELECT is(t.apply(), '1:1/0/0', 'then it is applied');
SELECT is(opens, 2, 'each once') FROM followup.lead WHERE id = t.lead_of(1, :ada);

-- A stop by webhook, and a claim of what it cancels
SELECT id AS next FROM followup.message WHERE lead_id = t.lead_of(1, :ada) AND state = 'scheduled' \gset
SELECT t.set(1, :next, 'due_at = followup.now() - interval ''1 s''') \g /dev/null
SELECT t.receive(t.event(:ada, 'unsubscribed')) \g /dev/null
SELECT t.begins() \g /dev/null
SELECT is(t.asks('t.apply_once(10)'), '1/0/0', 'an unsubscribe is applied and not committed');
SELECT is(t.verdict(1, :next), 'busy', 'a claim of the lead''s next message meanwhile is told to ask again');
SELECT t.ends() \g /dev/null
SELECT is(t.verdict(1, :next), 'gone', 'and then finds it gone');
SELECT is(t.state(1, :next), 'cancelled', 'cancelled by the unsubscribe');

-- The other way round
SELECT id AS next FROM followup.message WHERE lead_id = t.lead_of(1, :ben) AND state = 'scheduled' \gset
SELECT t.set(1, :next, 'due_at = followup.now() - interval ''1 s''') \g /dev/null
SELECT t.receive(t.event(:ben, 'complained')) \g /dev/null
SELECT t.begins() \g /dev/null
SELECT is(t.asks('t.verdict(1, ' || :next || ')'), 'claimed', 'the next message is claimed, not committed');
SELECT is(t.apply_once(10), '0/0/0', 'a complaint meanwhile waits for it');
SELECT t.ends() \g /dev/null
UPDATE followup.provider_event SET next_try_at = clock_timestamp() WHERE next_try_at IS NOT NULL;
SELECT is(t.apply() || ' ' || t.lead_messages(:ben), '1:1/0/0 one:complained two:sending detached', 'and finds it in flight: not to be called back, and never sent again');
SELECT is(t.lead_state(:ben), 'unsubscribed', 'nothing comes after it');

-- Somebody who holds a lead for long
SELECT t.sent('cid') AS cid, t.sent('dan') AS dan \gset
SELECT t.receive(t.event(:cid, 'bounced', p_more => '{"status": "5.1.1"}'), t.event(:dan, 'bounced', p_more => '{"status": "5.1.1"}')) \g /dev/null
SELECT t.hold(format('followup.lock_leads(1, ARRAY[%s])', t.lead_of(1, :cid))) \g /dev/null
SELECT is(t.apply() || ' ' || t.lead_state(:dan), '1:1/0/0 deactivated/BounceDeactivated', 'delays that lead''s events alone');
SELECT t.let_go() \g /dev/null
SELECT is(t.state(1, :cid), 'sent', 'which are not lost');


-- Whoever holds something for long delays what needs it, and nobody else's events. What waited would not come back here.
SET statement_timeout = '2s';
CREATE FUNCTION t.apply_all() RETURNS text LANGUAGE sql AS $$
    UPDATE followup.provider_event SET next_try_at = clock_timestamp() WHERE next_try_at IS NOT NULL;
    SELECT t.apply() $$;
CREATE FUNCTION t.receive_2(VARIADIC p_events jsonb[]) RETURNS text LANGUAGE sql AS $$
    SELECT verdict || ' ' || t.unpack() FROM followup.receive_webhooks(ARRAY[2]::bigint[], ARRAY['main'], ARRAY[to_json(p_events)], ARRAY[NULL]::text[]) $$;
CREATE FUNCTION t.reply_of(p_message bigint, p_name text, p_subject text = 'Re: Hello') RETURNS jsonb LANGUAGE sql AS $$
    SELECT t.event(p_message, 'replied', p_more => jsonb_build_object('from', p_name || '@people.example', 'dmarc', 'pass', 'subject', p_subject, 'text', 'Please unsubscribe me.')) $$;
-- Of the events that wait: attempts and error.
CREATE FUNCTION t.put_off() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', account_id, kind, attempts, left(error, 5)), ', ' ORDER BY account_id, kind) FROM followup.provider_event WHERE next_try_at IS NOT NULL $$;
SELECT t.apply_all() \g /dev/null
SELECT t.sent('eva') AS eva, t.sent('fay') AS fay \gset
SELECT t.receive(t.reply_of(:eva, 'eva')), t.receive(t.event(:fay, 'bounced', p_more => '{"status": "5.1.1"}')) \g /dev/null
SELECT t.hold(format('followup.stop_messaging(1, ARRAY[%s])', t.lead_of(1, :eva))) \g /dev/null
SELECT t.apply_once(10), t.apply_once(10) \g /dev/null
SELECT is(t.lead_state(:fay), 'deactivated/BounceDeactivated', 'a lead that is held when its reply comes first: the others'' events are applied');
SELECT is(t.put_off(), '1 replied 0', 'its reply is put off, and that is no attempt');
SELECT throws_ok(format('SELECT followup.apply_inbound_reply(1, %L)', t.reply_of(:eva, 'eva')), '55P03', NULL, 'without a wait');
SELECT t.let_go() \g /dev/null
SELECT is(t.apply_all() || ' ' || t.lead_state(:eva), '1:1/0/0 unsubscribed', 'and applied once the lead is free');

SELECT t.lead(2, 'gus') AS gus, t.lead(2, 'guy') AS guy, t.sent('gil') AS gil \gset
SELECT t.verdict(2, m), t.record(2, m, 'sent') FROM unnest(ARRAY[:gus, :guy]) AS m \g /dev/null
SELECT t.receive_2(t.reply_of(:guy, 'guy'), t.event(:gus, 'bounced', p_more => jsonb_build_object('fu_id', '2-' || :gus || '-1', 'status', '5.1.1'))),
       t.receive(t.event(:gil, 'bounced', p_more => '{"status": "5.1.1"}')) \g /dev/null
SELECT t.hold('FROM followup.account WHERE id = 2 FOR NO KEY UPDATE') \g /dev/null
SELECT t.apply_once(10), t.apply_once(10), t.apply_once(10) \g /dev/null
SELECT is(t.lead_state(:gil), 'deactivated/BounceDeactivated', 'an account that is held: the other account''s events are applied');
SELECT is(t.put_off(), '2 bounced 0, 2 replied 0', 'its own are put off');
SELECT t.let_go() \g /dev/null
UPDATE followup.assistant SET daily_cap = 50 WHERE account_id = 2;
SELECT t.sent('ham') AS ham \gset
SELECT t.receive(t.event(:ham, 'bounced', p_more => '{"status": "5.1.1"}')) \g /dev/null
SELECT t.hold('followup.lock_caps(ARRAY[2])') \g /dev/null
SELECT t.apply_all(), t.apply_once(10), t.apply_once(10), t.apply_once(10) \g /dev/null
SELECT is(t.lead_state(:ham), 'deactivated/BounceDeactivated', 'caps that are held: too');
SELECT is(t.put_off(), '2 bounced 0, 2 replied 0', 'but what may give back a place waits for them');
SELECT t.let_go() \g /dev/null
SELECT t.apply_all() \g /dev/null
SELECT is((t.put_off(), t.state(2, :gus), t.state(2, :guy))::text, '(,bounced,sent)', 'and is applied then');
SELECT is(string_agg(state::text, ' ' ORDER BY email), 'deactivated unsubscribed', 'with what follows') FROM followup.lead WHERE account_id = 2;

-- An account that is being deleted, and an event that somebody records by hand
CREATE FUNCTION t.stored(p_account bigint, p_event jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT verdict FROM followup.receive_webhooks(ARRAY[p_account], ARRAY['main'], ARRAY[to_json(ARRAY[p_event])], ARRAY[NULL]::text[]) $$;
CREATE FUNCTION t.opened_2(p_message bigint) RETURNS jsonb LANGUAGE sql AS $$ SELECT t.event(p_message, 'opened', p_more => jsonb_build_object('fu_id', '2-' || p_message || '-1')) $$;
CREATE FUNCTION t.opens(p_message bigint) RETURNS integer LANGUAGE sql AS $$ SELECT opens FROM followup.lead WHERE account_id = 1 AND id = t.lead_of(1, p_message) $$;
SELECT t.sent('oda') AS jan, t.sent('pia') AS kim \gset
SELECT t.hold('FROM followup.account WHERE id = 2 FOR UPDATE') \g /dev/null
SELECT t.stored(2, t.opened_2(:gus)), t.stored(2, t.opened_2(:guy)), t.stored(1, t.event(:jan, 'opened')) \g /dev/null
SELECT t.apply() \g /dev/null
SELECT is(t.opens(:jan), 1, 'an account that is being deleted: the others'' webhooks are applied');
SELECT is((SELECT count(*) FROM followup.webhook WHERE error IS NULL), 2::bigint, 'its own are put off');
SELECT t.let_go(), t.apply() \g /dev/null
SELECT is((SELECT count(*) FROM followup.webhook), 0::bigint, 'and taken apart then');
SELECT t.hold(format('followup.record_event(1, ''main'', ''twice'', ''opened'', %s, clock_timestamp())', :jan)) \g /dev/null
SELECT t.stored(1, t.event(:jan, 'opened', 'twice')), t.stored(2, t.opened_2(:guy)), t.stored(1, t.event(:kim, 'opened')) \g /dev/null
SELECT t.apply() \g /dev/null
SELECT is((SELECT count(*) FROM followup.webhook WHERE account_id = 2), 0::bigint, 'an event that somebody records by hand delays its own account''s webhooks');
SELECT t.let_go(), t.apply() \g /dev/null
SELECT is(t.opens(:jan) + t.opens(:kim), 3, 'which are not lost');
-- An address that somebody suppresses, which a lead of another address had when it was written to
SELECT t.sent('leo') AS leo, t.sent('mia') AS mia \gset
UPDATE followup.lead SET email = 'leo2@people.example' WHERE account_id = 1 AND id = t.lead_of(1, :leo);
SELECT t.receive(t.event(:leo, 'complained'), t.event(:mia, 'complained')) \g /dev/null
SELECT t.hold('followup.write_suppressions(1, ARRAY[''leo@people.example''], ''asked'', ''by hand'', NULL)') \g /dev/null
SELECT t.apply() \g /dev/null
SELECT is(t.lead_state(:mia), 'unsubscribed', 'delays no other''s complaint');
SELECT t.let_go(), t.apply_all() \g /dev/null
SELECT is(t.lead_state(:leo), 'unsubscribed', 'and is applied then');

-- A reply that takes too long is an error of its own; a cancel by hand is none.
CREATE FUNCTION t.slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_catalog.pg_sleep(30) WHERE NEW.subject = 'slow';
    RETURN NEW;
END $$;
CREATE TRIGGER slow BEFORE INSERT ON followup.reply FOR EACH ROW EXECUTE FUNCTION t.slow();
SELECT t.sent('ida') AS ida \gset
SELECT t.receive(t.reply_of(:ida, 'ida', 'slow')) \g /dev/null
SELECT t.begins() \g /dev/null
SELECT dblink_send_query('other', 'SELECT t.apply_once(10)') \g /dev/null
DO $$ BEGIN
    WHILE (SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep') = 0 LOOP
        PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
    END LOOP;
END $$;
SELECT * FROM dblink_get_result('other', false) AS d (said text) \g /dev/null
SELECT * FROM dblink_get_result('other', false) AS d (said text) \g /dev/null
SELECT t.ends('ROLLBACK') \g /dev/null
SELECT is(t.put_off(), '1 replied 0', 'who cancels a call does not mean the event');
SELECT is(t.apply_once(10), '0/0/1 more', 'what takes up the statement_timeout fails');
SELECT is(t.put_off(), '1 replied 1 57014', 'and is put off with its error');
SELECT ok(next_try_at > received_at + interval '5 s', 'for longer than a lock') FROM followup.provider_event WHERE next_try_at IS NOT NULL;
UPDATE followup.provider_event SET next_try_at = NULL;

-- The breaker
UPDATE followup.account SET bounce_rate_messages = 1, bounce_rate_limit = 0.01 WHERE id = 1;
SELECT t.sent('jan') AS jan, t.sent('jim') AS jim, t.sent('job') AS job \gset
SELECT t.hold(format('followup.lock_leads(1, ARRAY[%s])', t.lead_of(1, :job))) \g /dev/null
SELECT t.receive(t.event(:jan, 'bounced', p_more => '{"status": "5.1.1"}')) \g /dev/null
SELECT t.apply() \g /dev/null
SELECT t.receive(t.event(:jim, 'unsubscribed')) \g /dev/null
SELECT is(t.apply() || ' ' || t.lead_state(:jim), '1:1/0/0 unsubscribed', 'an account that is to be paused while somebody has it: events are applied');
SELECT is(paused_at, NULL, 'it is not paused yet') FROM followup.account WHERE id = 1;
SELECT t.let_go() \g /dev/null
SELECT t.apply() \g /dev/null
SELECT ok(paused_reason LIKE 'bounce rate %', 'and is paused when it is free') FROM followup.account WHERE id = 1;
SELECT is((SELECT count(*) FROM followup.bounce WHERE NOT judged), 0::bigint, 'every bounce is judged');
RESET statement_timeout;

-- The same webhook twice at once
SELECT t.begins() \g /dev/null
SELECT is(t.asks($$ t.receive('{"event_id": "twin", "kind": "opened"}') $$), 'stored 1', 'a webhook');
SELECT dblink_connect('third', format('host=%s port=%s dbname=%s user=%s', current_setting('unix_socket_directories'), current_setting('port'), current_database(), current_user)),
       dblink_send_query('third', $$ SELECT t.receive('{"event_id": "twin", "kind": "opened"}') $$) \g /dev/null
SELECT t.ends() \g /dev/null
SELECT is(d.said, 'stored 0', 'the same one beside it waits, and is known then') FROM dblink_get_result('third') AS d (said text);
SELECT is_empty('SELECT * FROM followup.invariants(true) WHERE broken > 0', 'everything holds that must');
SELECT * FROM finish();
