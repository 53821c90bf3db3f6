-- CRM rules: on a call, an UPDATE, an INSERT and an import; built in, of an account, of other sources; and the replay.
\ir support/rules_world.sql
SELECT plan(64);
CREATE FUNCTION t.said(r followup.action_result) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', CASE WHEN r.done THEN 'yes' ELSE concat_ws('/', r.reason, r.sub_state) END) $$;
CREATE FUNCTION t.known(p_lead bigint) RETURNS text LANGUAGE sql AS $$
    UPDATE followup.lead SET external_id = 'x' || id WHERE id = p_lead RETURNING external_id $$;
CREATE FUNCTION t.events(p_lead bigint) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', source, field, coalesce(old, '-'), new) || ': ' || concat_ws(', ', rule, result), '; ' ORDER BY id)
      FROM followup.crm_event WHERE lead_id = p_lead $$;

-- The seed
SELECT is((SELECT string_agg(value || ' ' || label, ', ' ORDER BY value::integer) FROM followup.crm_rule WHERE builtin AND source = 'HigherGear' AND action = 'stop'),
          '7 Sold Deposit, 8 Sold Spot, 9 Delivery, 10 Lost, 11 Customer Deactivated', 'HigherGear 7 to 11 stop');
SELECT is((SELECT count(*) FROM followup.crm_rules(1, 'highergear')), 21::bigint, 'HigherGear has 21 codes');
SELECT is((SELECT string_agg(value, ' ') FROM followup.crm_rules(1, 'HigherGear') WHERE action = 'none'),
          '1 2 3 4 5 6 12 13 14 20 22 23 26 27 30 31', 'the others are the customer''s choice');
SELECT is((SELECT string_agg(DISTINCT origin, '; ') FROM followup.crm_rules(1)), 'built in; built in, locked', 'all of it is built in');
SELECT throws_ok($$UPDATE followup.crm_rule SET action = 'none' WHERE value = '9'$$, '42501', 'the CRM rule HigherGear 9 is built in', 'a built-in rule is not changed');
SELECT throws_ok($$DELETE FROM followup.crm_rule WHERE value = '12'$$, '42501', NULL, 'nor deleted');
SELECT throws_ok($$SELECT followup.set_crm_rule(1, 'highergear', '9', 'none')$$, '42501', 'the CRM rule HigherGear 9 is locked: it stops', 'no rule of an account goes above a built-in stop');
SELECT throws_ok($$INSERT INTO followup.crm_rule (account_id, source, operator, value, label, action) VALUES (1, 'HIGHERGEAR', 'changes_to', '9', '', 'skip_to_follow_up')$$, '42501', NULL, 'not by a direct write either');

-- A call: stop
SELECT t.started() AS l \gset
SELECT is(t.said(followup.crm_status(1, 'HigherGear', t.known(:l), '9')), 'yes', 'code 9');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'stopped a:cancelled', 'stops an active lead');
SELECT is(followup.conversation_status(1, :l), 'Stopped by CRM rule HigherGear 9 Delivery', 'Conversation Status names the rule');
SELECT is(t.events(:l), 'HigherGear crm_status - 9: HigherGear 9 Delivery, stopped', 'the application is recorded');
SELECT is((SELECT crm_source || ' ' || crm_status FROM followup.lead WHERE id = :l), 'HigherGear 9', 'the lead has the code');
SELECT is(t.said(followup.crm_status(1, 'HigherGear', 'x' || :l, '7')), 'stopped', 'another stop finds it stopped');
SELECT is((SELECT result FROM followup.crm_event WHERE lead_id = :l ORDER BY id DESC LIMIT 1), 'left alone: stopped', 'which is recorded too');
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS m \gset
SELECT is((followup.crm_status(1, 'HigherGear', t.known(:l), '9')).in_flight, ARRAY[:m]::bigint[], 'what is in flight is listed');
SELECT t.lead() AS l1, t.lead_in('processed/responded') AS l2, t.lead_in('processed/completed') AS l3, t.lead_in('active/follow_up hot') AS l4,
       t.lead_in('unsubscribed') AS l5, t.lead_in('deactivated/Retired') AS l6 \gset
SELECT is((SELECT string_agg(t.said(followup.crm_status(1, 'HigherGear', t.known(u.l), '8')), ' ' ORDER BY u.no) FROM unnest(ARRAY[:l1, :l2, :l3, :l4, :l5, :l6]) WITH ORDINALITY AS u (l, no)),
          'yes yes yes yes unsubscribed deactivated/Retired', 'a stop code in every state');
SELECT is((SELECT string_agg(t.state(u.l), ' ' ORDER BY u.no) FROM unnest(ARRAY[:l1, :l2, :l3, :l4, :l5, :l6]) WITH ORDINALITY AS u (l, no)),
          'stopped stopped/further_action stopped stopped/hot_lead unsubscribed deactivated/Retired/disqualified', 'new and processed leads are stopped too');
SELECT is(followup.conversation_status(1, :l1), 'Stopped by CRM rule HigherGear 8 Sold Spot', 'a lead that never started says why');
SELECT is(followup.conversation_status(1, :l2), 'Stopped by CRM rule HigherGear 8 Sold Spot', 'a processed one too');
SELECT is((SELECT string_agg(DISTINCT reason::text, ' ') FROM followup.continue_follow_up(1, ARRAY[:l2, :l3])), 'stopped', 'a sold code keeps a processed lead out of continue');
SELECT is((SELECT string_agg(DISTINCT reason::text, ' ') FROM followup.restart_follow_up(1, ARRAY[:l1, :l2, :l3], NULL, 1, 1)), 'stopped', 'and out of restart');

-- A call: nothing to do, no rule, unknown
SELECT t.started() AS l \gset
SELECT is(t.said(followup.crm_status(1, 'HigherGear', t.known(:l), '12')), 'yes', 'code 12 without a rule of the account');
SELECT is(t.state(:l) || '; ' || t.events(:l), 'active/sequence; HigherGear crm_status - 12: HigherGear 12 Busted Deal, nothing to do', 'is recorded, and does nothing');
SELECT is(t.said(followup.crm_status(1, 'HigherGear', 'x' || :l, '99')), 'yes', 'a code nobody knows');
SELECT is((SELECT result FROM followup.crm_event WHERE lead_id = :l ORDER BY id DESC LIMIT 1), 'no rule', 'is recorded as such');
SELECT is(t.said(followup.crm_status(1, 'HigherGear', 'nobody', '9')), 'not_found', 'an unknown lead');
SELECT throws_ok($$SELECT followup.crm_status(1, 'HigherGear', 'nobody', ' ')$$, '22023', NULL, 'no code');

-- Rules of the account
SELECT is((SELECT (source, value, label, action)::text FROM followup.set_crm_rule(1, 'highergear', '12', 'skip_to_follow_up', p_actor => 2)), '(HigherGear,12,"Busted Deal",skip_to_follow_up)', 'a choice for code 12');
SELECT is((SELECT action::text || ' ' || origin FROM followup.crm_rules(1, 'HigherGear') WHERE value = '12'), 'skip_to_follow_up account', 'takes the place of the built-in one');
SELECT is((SELECT action::text FROM followup.crm_rules(2, 'HigherGear') WHERE value = '12'), 'none', 'in that account alone');
SELECT is(t.said(followup.crm_status(1, 'HigherGear', 'x' || :l, '12')), 'yes', 'code 12 with a rule');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'active/follow_up a:cancelled f:scheduled', 'skips to the follow-up');
SELECT is(t.said(followup.crm_status(1, 'HigherGear', 'x' || :l, '12')), 'already_follow_up', 'once');
SELECT is(t.said(followup.crm_status(1, 'HigherGear', t.known(t.lead()), '12')), 'inactive', 'a skip leaves inactive leads alone');
SELECT is((SELECT action::text FROM followup.set_crm_rule(1, 'HigherGear', '12', 'none')), 'none', 'a second choice replaces the first');
SELECT is((SELECT count(*) FROM followup.crm_rule WHERE account_id = 1), 1::bigint, 'one rule a value');
SELECT throws_ok($$SELECT followup.set_crm_rule(1, 'HigherGear', '12', 'stop', p_actor => 1)$$, '42501', NULL, 'a rep sets no rules');
SELECT throws_ok($$SELECT followup.set_crm_rule(1, 'HigherGear', '12', 'maybe')$$, '22023', NULL, 'an unknown action');
SELECT throws_ok($$SELECT followup.set_crm_rule(1, ' ', '12', 'stop')$$, '22023', NULL, 'no source');

-- Other sources, other fields, changes_to
SELECT source FROM followup.set_crm_rule(1, 'Salesforce', 'Closed Won', 'stop', 'won') \gset
SELECT source FROM followup.set_crm_rule(1, 'Salesforce', 'open', 'skip_to_follow_up', 'opened', 'stage', 'changes_to') \gset
SELECT t.started() AS l1, t.started() AS l2, t.started() AS l3, t.started() AS l4 \gset
UPDATE followup.lead SET crm_source = 'salesforce', crm_status = 'closed won' WHERE id IN (:l1, :l2);
SELECT is(t.state(:l1) || ' ' || t.state(:l2) || ' ' || t.state(:l3), 'stopped stopped active/sequence', 'UPDATE lead SET crm_status, many at once');
SELECT is(t.events(:l1), 'salesforce crm_status - closed won: Salesforce Closed Won won, stopped', 'recorded');
UPDATE followup.lead SET crm_status = 'closed won' WHERE id = :l1;
SELECT is((SELECT count(*) FROM followup.crm_event WHERE lead_id = :l1), 1::bigint, 'the same value again is no event');
UPDATE followup.lead SET crm_source = 'Salesforce', fields = '{"stage": "open"}' WHERE id = :l3;
SELECT is(t.state(:l3), 'active/sequence', 'changes_to: the first value is no change');
UPDATE followup.lead SET fields = '{"stage": "lost"}' WHERE id = :l3;
UPDATE followup.lead SET fields = '{"stage": "open"}' WHERE id = :l3;
SELECT is(t.state(:l3), 'active/follow_up', 'changes_to: from another value it is');
UPDATE followup.lead SET fields = '{"stage": "open"}', crm_status = '9' WHERE id = :l4;
SELECT is(t.state(:l4) || ' ' || t.events(:l4), 'active/sequence  crm_status - 9: no rule', 'a code without a source has no rule');
-- a change of the status and of the conversation at once, with a stop among other rules
UPDATE followup.lead SET crm_source = 'HigherGear', crm_status = '9', timezone = 'Asia/Tokyo', fields = '{"stage": "x"}' WHERE id = :l4;
SELECT is(t.state(:l4), 'stopped', 'together with other values');

-- INSERT
INSERT INTO followup.lead (account_id, id, email, sequence_id, assistant_id, crm_source, crm_status)
VALUES (1, 9001, 'c1@l.example', 1, 1, 'HigherGear', '9'), (1, 9002, 'c2@l.example', 1, 1, 'HigherGear', '1'),
       (1, 9003, 'c3@l.example', NULL, NULL, 'HigherGear', '10'), (1, 9004, 'c4@l.example', 1, 1, NULL, NULL);
SELECT is(t.state(9001) || ' ' || t.state(9002) || ' ' || t.state(9003) || ' ' || t.state(9004), 'stopped active/sequence stopped active/sequence', 'INSERT: a stop code keeps a lead out');
SELECT is(t.messages(9001), NULL, 'nothing was ever planned for it');
SELECT is((SELECT string_agg(action || ' ' || coalesce(note, ''), ', ' ORDER BY id) FROM followup.activity WHERE lead_id = 9001), 'stop , not_started stopped', 'the record says why');
-- import
SELECT is((SELECT string_agg(concat_ws(' ', line, outcome, reason), ', ' ORDER BY line) FROM followup.import_leads(1,
    '[{"line": 2, "email": "i1@l.example", "fields": {"crm_source": "HigherGear", "crm_status": "9", "color": "red"}}, {"line": 3, "email": "i2@l.example", "fields": {"crm_source": "HigherGear", "crm_status": "1"}}]', 1, 1)),
    '2 imported not started: stopped, 3 imported', 'import: the line says that it did not start');
SELECT is((SELECT (state, crm_source, crm_status, fields)::text FROM followup.lead WHERE email = 'i1@l.example'), '(stopped,HigherGear,9,"{""color"": ""red""}")', 'the code is a code, not a field');
SELECT is((SELECT outcome FROM followup.import_leads(1, '[{"line": 2, "email": "i2@l.example", "timezone": "Asia/Tokyo", "fields": {"crm_status": "11"}}]', p_duplicates => 'update')), 'updated', 'import over a lead');
SELECT is((SELECT (state, timezone)::text FROM followup.lead WHERE email = 'i2@l.example'), '(stopped,Asia/Tokyo)', 'applies the rule');

-- Replay
SELECT is((SELECT string_agg(DISTINCT concat_ws(' ', source, new, did, would), '; ') FROM followup.crm_replay(1, 30) WHERE differs),
          'HigherGear 12 left alone: already_follow_up nothing to do; HigherGear 12 left alone: inactive nothing to do; HigherGear 12 skipped to the follow-up nothing to do',
          'the replay tells what the rules of now would do otherwise');
SELECT action FROM followup.set_crm_rule(1, 'HigherGear', '1', 'stop') \gset
SELECT is((SELECT count(*) FROM followup.crm_replay(1, 30) WHERE differs AND new = '1' AND would = 'stop'), 2::bigint, 'a new stop would have stopped two');
SELECT is(t.state(9002), 'active/sequence', 'but nothing is changed by it');
SELECT is((SELECT count(*) FROM followup.crm_replay(2, 30)), 0::bigint, 'another account has none');
SELECT set_config('test.now', (followup.now() + '2 days')::text, false) \gset
SELECT is((SELECT count(*) FROM followup.crm_replay(1, 1)), 0::bigint, 'days ago is not within a day');
SELECT throws_ok('SELECT * FROM followup.crm_replay(1, 0)', '22023', NULL, 'no days');
-- In whatever case of letters
SELECT is((SELECT (source, value, label, action)::text FROM followup.set_crm_rule(1, 'Acme', 'hot', 'stop', 'Hot')), '(Acme,hot,Hot,stop)', 'a rule');
SELECT is((SELECT (source, value, label, action)::text FROM followup.set_crm_rule(1, ' acme', 'HOT ', 'none')), '(Acme,hot,Hot,none)', 'is replaced by the same one in other letters');
SELECT is((SELECT (source, value, operator, action)::text FROM followup.set_crm_rule(1, 'ACME', 'Hot', 'stop', p_operator => 'changes_to')), '(Acme,hot,changes_to,stop)', 'beside one with another operator');
SELECT is((SELECT string_agg(operator || ' ' || action, ', ' ORDER BY operator) FROM followup.crm_rule WHERE lower(source) = 'acme'), 'equals none, changes_to stop', 'and no other');
SELECT * FROM finish();
