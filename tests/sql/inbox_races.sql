-- Two callers of apply_inbox, and a claim, at the same time. Each race is held in its worst moment by locks, so nothing here
-- depends on time.
\ir support/engine.sql
\ir support/inbox.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT no_plan();
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

-- The same webhook twice at once
SELECT t.begins() \g /dev/null
SELECT is(t.asks($$ t.receive('{"event_id": "twin", "kind": "opened"}') $$), 'stored 1', 'a webhook');
SELECT dblink_connect('third', format('host=%s port=%s dbname=%s user=%s', current_setting('unix_socket_directories'), current_setting('port'), current_database(), current_user)),
       dblink_send_query('third', $$ SELECT t.receive('{"event_id": "twin", "kind": "opened"}') $$) \g /dev/null
SELECT t.ends() \g /dev/null
SELECT is(d.said, 'stored 0', 'the same one beside it waits, and is known then') FROM dblink_get_result('third') AS d (said text);
SELECT is_empty('SELECT * FROM followup.invariants(true) WHERE broken > 0', 'everything holds that must');
SELECT * FROM finish();
