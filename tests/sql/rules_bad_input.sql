-- Bad input gets an error that names what is wrong, and changes nothing.
BEGIN;
\ir support/rules_world.sql
SELECT plan(28);
SELECT t.started() AS l \gset
SELECT throws_ok(format(c.call, :l), c.code, c.message, c.says)
  FROM (VALUES
    ('SELECT followup.start_follow_up(999, ARRAY[%s], 1, 1)', '22023', 'there is no account 999', 'start: unknown account'),
    ('SELECT followup.start_follow_up(NULL, ARRAY[%s], 1, 1)', '22023', 'there is no account <NULL>', 'start: no account'),
    ('SELECT followup.start_follow_up(1, ARRAY[%s], 999, 1)', '22023', 'account 1 has no sequence 999', 'start: unknown sequence'),
    ('SELECT followup.start_follow_up(1, ARRAY[%s], 4, 1)', '22023', 'account 1 has no sequence 4', 'start: another account''s sequence'),
    ('SELECT followup.start_follow_up(1, ARRAY[%s], 1, 999)', '22023', 'account 1 has no assistant 999', 'start: unknown assistant'),
    ('SELECT followup.start_follow_up(1, ARRAY[%s], 1, 1, ''infinity'')', '22023', 'start_follow_up: p_at must be a finite instant, not infinity', 'start: infinity'),
    ('SELECT followup.restart_follow_up(1, ARRAY[%s], ''-infinity'')', '22023', 'restart_follow_up: p_at must be a finite instant, not -infinity', 'restart: infinity'),
    ('SELECT followup.restart_follow_up(1, ARRAY[%s], p_sequence => 999)', '22023', 'account 1 has no sequence 999', 'restart: unknown sequence'),
    ('SELECT followup.continue_follow_up(999, ARRAY[%s])', '22023', 'there is no account 999', 'continue: unknown account'),
    ('SELECT followup.continue_follow_up(1, ARRAY[%s], ''infinity'')', '22023', 'continue_follow_up: p_at must be a finite instant, not infinity', 'continue: infinity'),
    ('SELECT followup.skip_to_follow_up(999, ARRAY[%s])', '22023', 'there is no account 999', 'skip: unknown account'),
    ('SELECT followup.skip_to_follow_up(1, ARRAY[%s], ''infinity'')', '22023', 'skip_to_follow_up: p_at must be a finite instant, not infinity', 'skip: infinity'),
    ('SELECT followup.stop_messaging(999, ARRAY[%s])', '22023', 'there is no account 999', 'stop: unknown account'),
    ('SELECT followup.stop_messaging(1, ARRAY[%s], now())', '22023', 'stop_messaging: a stop is at once, p_at must be NULL', 'stop: an instant'),
    ('SELECT followup.record_reply(1, NULL, ''a'', ''b'', ''c'', p_outcome => ''maybe'', p_lead => %s)', '22023', 'unknown outcome of a reply: ''maybe''', 'reply: unknown outcome'),
    ('SELECT followup.record_reply(1, NULL, ''a'', ''b'', ''c'', p_outcome => ''deactivate:completed'', p_lead => %s)', '22023', 'unknown outcome of a reply: ''deactivate:completed''', 'reply: no sub_state of deactivated'),
    ('SELECT followup.record_reply(999, NULL, ''a'', ''b'', ''c'', p_lead => %s)', '22023', 'there is no account 999', 'reply: unknown account'),
    ('SELECT followup.record_bounce(1, %s, ''firm'')', '22023', 'record_bounce: the kind is hard, soft, block or unknown, not ''firm''', 'bounce: unknown kind'),
    ('SELECT followup.unsubscribe(1, %s, 5)', '22023', 'unsubscribe: name one of p_lead, p_message and p_token', 'unsubscribe: two names'),
    ('SELECT followup.unsubscribe(1)', '22023', 'unsubscribe: name one of p_lead, p_message and p_token', 'unsubscribe: no name'),
    ('SELECT followup.suppress(1, ''nobody'', ''x'', ''y'')', '22023', 'suppress: an address, a reason and a source are needed; the address is ''nobody''', 'suppress: no address'),
    ('SELECT followup.suppress(1, NULL, ''x'', ''y'')', '22023', 'suppress: an address, a reason and a source are needed; the address is NULL', 'suppress: NULL'),
    ('SELECT followup.pause(1, 1, 1)', '22023', 'pause, resume: name an assistant or a sequence, not both', 'pause: two names'),
    ('SELECT followup.pause(1, 999)', '22023', 'account 1 has no assistant 999', 'pause: unknown assistant')) AS c (call, code, message, says);
-- A rule that no reply could follow would refuse the reply; it is refused itself.
SELECT throws_ok(format('INSERT INTO followup.reply_rule (account_id, position, field, pattern, outcome) VALUES (1, 1, ''body'', %L, %L)', c.pattern, c.outcome),
                 '22023', NULL, c.says)
  FROM (VALUES ('sold', 'nonsense', 'reply_rule: an unknown outcome'), ('sold', 'deactivate:Nobody', 'reply_rule: an unknown sub-state'),
               ('', 'stop', 'reply_rule: an empty pattern')) AS c (pattern, outcome, says);
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'active/sequence a:scheduled', 'all of it left the lead as it was');
SELECT * FROM finish();
ROLLBACK;
