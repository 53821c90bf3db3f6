-- Address validation: validate_leads keeps new leads from starting, record_validation says what came of it.
BEGIN;
\ir support/rules_world.sql
SELECT plan(34);
CREATE FUNCTION t.said(r followup.action_result) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN r.done THEN 'yes' ELSE concat_ws('/', r.reason, r.sub_state) END $$;
CREATE FUNCTION t.verdict(p_lead bigint, p_verdict text) RETURNS text LANGUAGE sql AS $$
    SELECT t.said(r) FROM followup.record_validation(1, ARRAY[p_lead], p_verdict) AS r $$;
CREATE FUNCTION t.logged(p_lead bigint) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', actor, action, note) FROM followup.activity WHERE lead_id = p_lead ORDER BY id DESC LIMIT 1 $$;

-- Marked
SELECT t.lead() AS l, t.lead() AS other \gset
SELECT is((SELECT string_agg(t.said(r), ' ') FROM followup.validate_leads(1, ARRAY[:l, 99999, :l], p_note => 'list of May') AS r), 'yes not_found yes', 'a new lead is being checked');
SELECT is(t.state(:l), 'new/validating', 'and shown so');
SELECT is(t.logged(:l), 'sql:postgres validate list of May', 'it is logged');
SELECT is((SELECT t.said(r) FROM followup.validate_leads(1, ARRAY[:l]) AS r), 'validating', 'once');
SELECT is((SELECT t.said(r) FROM followup.start_follow_up(1, ARRAY[:l], 1, 1) AS r), 'validating', 'it is not started');
SELECT is((SELECT t.said(r) FROM followup.validate_leads(1, ARRAY[t.lead_in(s.state)]) AS r), s.reason, s.state || ' is not checked')
  FROM (VALUES ('active/sequence', 'already_active'), ('processed/responded', 'already_started'), ('stopped', 'stopped'),
               ('unsubscribed', 'unsubscribed'), ('deactivated/Retired', 'deactivated/Retired')) AS s (state, reason);
SELECT is((SELECT t.said(r) FROM followup.validate_leads(1, ARRAY[:other], p_actor => 1) AS r), 'not_permitted', 'a rep does not');
SELECT is((SELECT t.said(r) FROM followup.validate_leads(1, ARRAY[:other], p_actor => 2) AS r), 'yes', 'a manager does');

-- Valid
SELECT is(t.verdict(:l, 'valid'), 'yes', 'a valid address');
SELECT is(t.state(:l), 'new', 'new again');
SELECT is(t.logged(:l), 'validation validation valid', 'logged');
SELECT is((SELECT t.said(r) FROM followup.start_follow_up(1, ARRAY[:l], 1, 1) AS r), 'yes', 'it can be started');
INSERT INTO followup.lead (account_id, email, sub_state, sequence_id, assistant_id) VALUES (1, 'w@l.example', 'validating', 1, 1) RETURNING id AS w \gset
SELECT is(t.state(:w) || coalesce(t.messages(:w), ''), 'new/validating', 'a lead that comes with a sequence waits');
SELECT is((SELECT t.said(r) || (r.due_at = followup.now()) || (r.message_id = t.live(:w)) FROM followup.record_validation(1, ARRAY[:w], 'valid') AS r), 'yestruetrue', 'and is started');
SELECT is(t.state(:w), 'active/sequence', 'as its INSERT would have');
INSERT INTO followup.lead (account_id, email, sub_state, sequence_id) VALUES (1, 'n@l.example', 'validating', 1) RETURNING id AS n \gset
SELECT is(t.verdict(:n, 'valid') || ' ' || t.state(:n) || ' ' || t.logged(:n), 'yes new validation not_started no_assistant', 'one that may not start is valid all the same');
SELECT is((SELECT string_agg(t.verdict(t.lead_in(s), 'valid'), ' ' ORDER BY no) FROM unnest(ARRAY['new', 'active/sequence', 'processed/completed', 'stopped',
          'unsubscribed', 'deactivated/SpamTrap']) WITH ORDINALITY AS u (s, no)), 'yes already_active already_started stopped unsubscribed deactivated/SpamTrap', 'valid changes nobody else');

-- Not valid
SELECT is(t.verdict(x.lead, x.verdict) || ' ' || t.state(x.lead), 'yes deactivated/' || x.verdict, x.verdict)
  FROM (SELECT t.lead() AS lead, v AS verdict FROM unnest(ARRAY['InvalidEmail', 'BounceRisk', 'ServerUnReachable', 'SpamTrap', 'Disposable']) AS v OFFSET 0) AS x;
SELECT t.started() AS a \gset
SELECT t.claim(:a) AS m \gset
SELECT is((SELECT t.said(r) || ' ' || (r.in_flight = ARRAY[:m]::bigint[]) FROM followup.record_validation(1, ARRAY[:a], 'SpamTrap', p_note => 'seen on a list') AS r), 'yes true', 'an active lead: what had left is listed');
SELECT is(t.state(:a) || ' ' || t.messages(:a), 'deactivated/SpamTrap (a:sending)', 'its conversation has ended');
SELECT is((SELECT concat_ws(' ', state, ended_reason, ended_by) FROM followup.conversation WHERE lead_id = :a), 'ended deactivated address validation: SpamTrap', 'by the validation');
SELECT is(t.logged(:a), 'validation validation SpamTrap: seen on a list', 'with the note');
SELECT is(t.verdict(t.lead_in('processed/responded'), 'InvalidEmail') || ' ' || t.verdict(t.lead_in('unsubscribed'), 'InvalidEmail') || ' ' || t.verdict(:a, 'Disposable'),
          'yes unsubscribed deactivated/SpamTrap', 'a processed lead too; who left for good stays as he is');

-- Bad input
SELECT throws_ok('SELECT followup.record_validation(1, ARRAY[1], ''fine'')', '22023', 'record_validation: ''fine'' is no verdict', 'what is no verdict');
SELECT throws_ok('SELECT followup.record_validation(1, ARRAY[1], NULL)', '22023', NULL, 'none');
SELECT throws_ok('SELECT followup.record_validation(1, ARRAY[1], ''valid'', p_actor => 1)', '42501', NULL, 'a rep says nothing of it');
SELECT * FROM finish();
ROLLBACK;
