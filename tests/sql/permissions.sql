-- Who may do what: profiles, own leads, operators without an actor, and the wall between accounts.
BEGIN;
\ir support/rules_world.sql
SELECT plan(72);

SELECT t.started() AS own, t.started() AS other \gset
UPDATE followup.lead SET rep_id = 1 WHERE id = :own;

SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.skip_to_follow_up(1, ARRAY[:other], p_actor => 1)), 'f not_own_lead', 'a rep does not skip another''s lead');
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.skip_to_follow_up(1, ARRAY[:own], p_actor => 1)), 't', 'a rep skips an own lead');
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.restart_follow_up(1, ARRAY[:own], p_actor => 1)), 't', 'a rep restarts an own lead');
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.stop_messaging(1, ARRAY[:own], p_actor => 1)), 'f not_permitted', 'a rep does not stop');
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.start_follow_up(1, ARRAY[:own], 1, 1, p_actor => 1)), 'f not_permitted', 'a rep does not enrol');
SELECT is(t.state(:own), 'active/sequence', 'what was refused changed nothing');
SELECT (t.reply(:own)).done \gset
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.continue_follow_up(1, ARRAY[:own], p_actor => 1)), 't', 'a rep continues an own lead');
SELECT results_eq(format('SELECT lead_id, reason::text FROM followup.restart_follow_up(1, ARRAY[%s, %s], p_actor => 1)', :other, :own),
                  format('VALUES (%s::bigint, ''not_own_lead''), (%s, NULL)', :other, :own), 'a rep''s bulk covers own leads only');
SELECT t.claim(:other) AS m \gset
SELECT is((SELECT in_flight FROM followup.restart_follow_up(1, ARRAY[:other], p_actor => 1)), '{}', 'and says nothing about the others');

SELECT is(followup.copy_profile(1, 'closer', 'rep', 2), (SELECT permissions FROM followup.profile WHERE account_id = 1 AND name = 'rep'), 'a manager copies a profile');
SELECT ok('stop' = ANY (followup.grant_permission(1, 'closer', 'stop', p_actor => 2)), 'and grants stop to it');
SELECT is(cardinality(array_positions(followup.grant_permission(1, 'closer', 'stop', p_actor => 3), 'stop')), 1, 'granted twice it is there once');
SELECT ok('stop' <> ALL (followup.grant_permission(1, 'closer', 'stop', false, 2)), 'it is taken away again');
SELECT ok('stop' = ANY (followup.grant_permission(1, 'closer', 'stop', p_actor => 2)), 'and granted anew');
SELECT throws_ok($$ SELECT followup.grant_permission(1, 'closer', 'stop', p_actor => 1) $$, '42501', 'Rita has no permission to grant_stop', 'a rep grants nothing');
SELECT throws_ok($$ SELECT followup.grant_permission(1, 'closer', 'pause', p_actor => 2) $$, '42501', 'Max has no permission to users', 'a manager grants stop alone');
SELECT throws_ok($$ SELECT followup.copy_profile(1, 'boss', 'administrator', 2) $$, '42501', 'user 2 cannot grant what they lack: erase, reactivate, users', 'nobody grants what they lack');
SELECT throws_ok($$ SELECT followup.grant_permission(1, 'rep', 'stop', p_actor => 3) $$, '22023', 'profile "rep" is built in and stays as it is', 'a built-in profile stays');
SELECT throws_ok($$ SELECT followup.grant_permission(1, 'closer', 'fly', p_actor => 3) $$, '22023', 'permission: there is none called "fly"', 'an unknown permission is refused');
SELECT throws_ok($$ SELECT followup.grant_permission(1, 'nobody', 'stop', p_actor => 3) $$, '22023', 'profile: there is no profile "nobody"', 'an unknown profile too');
SELECT throws_ok($$ SELECT followup.copy_profile(1, 'closer', 'rep', 3) $$, '23505', 'there is a profile "closer" already', 'a name is taken once');
SELECT throws_ok($$ SELECT followup.copy_profile(1, ' ', 'rep', 3) $$, '22023', 'profile: is missing', 'a profile needs a name');
SELECT is((SELECT count(*) FROM followup.activity WHERE account_id = 1 AND action IN ('profile_copied', 'permission_granted', 'permission_revoked')), 5::bigint, 'who granted what is kept');
UPDATE followup.app_user SET profile = 'closer' WHERE id = 1;
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.stop_messaging(1, ARRAY[:own], p_actor => 1)), 't', 'a rep who was granted stop stops');
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.stop_messaging(1, ARRAY[:other], p_actor => 2)), 't', 'a manager stops any lead');
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.stop_messaging(1, ARRAY[t.started()], p_actor => 3)), 't', 'and so does an administrator');

SELECT throws_ok('SELECT followup.pause(1, p_actor => 1)', '42501', NULL, 'a rep does not pause');
SELECT throws_ok($$ SELECT followup.suppress(1, 'a@b.example', 'x', 'y', 1) $$, '42501', NULL, 'a rep does not suppress');
SELECT throws_ok(format('SELECT followup.unsubscribe(1, %s, p_actor => 1)', :own), '42501', NULL, 'a rep does not unsubscribe');
SELECT lives_ok('SELECT followup.pause(1, p_actor => 2)', 'a manager pauses');
SELECT throws_ok(format('SELECT followup.stop_messaging(1, ARRAY[%s], p_actor => 4)', :own), '22023', NULL, 'a user of another account is no user of this one');
SELECT throws_ok(format('SELECT followup.stop_messaging(1, ARRAY[%s], p_actor => 999)', :own), '22023', NULL, 'an unknown user raises');
SELECT bag_eq('SELECT name, builtin FROM followup.profile WHERE account_id = 2', $$ VALUES ('rep', true), ('manager', true), ('administrator', true) $$,
              'a new account has the three built-in profiles');
SELECT ok((SELECT r.permissions <@ m.permissions AND m.permissions <@ a.permissions FROM followup.profile AS r, followup.profile AS m, followup.profile AS a
            WHERE r.name = 'rep' AND m.name = 'manager' AND a.name = 'administrator' AND r.account_id = 2 AND m.account_id = 2 AND a.account_id = 2),
          'administrators may what managers may, and they what reps may');

-- A profile of the account's own that reaches own leads only
SELECT followup.grant_permission(1, 'closer', p, p_actor => 3) FROM unnest('{unsubscribe,start,import}'::text[]) AS p \g /dev/null
SELECT t.started() AS mine, t.started() AS mine2, t.started() AS theirs \gset
UPDATE followup.lead SET rep_id = 1 WHERE id IN (:mine, :mine2);
UPDATE followup.lead SET rep_id = 2 WHERE id = :theirs;
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.unsubscribe(1, :theirs, p_actor => 1)), 'f not_own_lead', 'does not unsubscribe another''s lead');
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.record_validation(1, ARRAY[:theirs], 'SpamTrap', 1)), 'f not_own_lead', 'says nothing of its address');
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.record_validation(1, ARRAY[424242], 'SpamTrap', 1)), 'f not_found', 'nor of none');
SELECT is(t.state(:theirs), 'active/sequence', 'what was refused changed nothing');
SELECT is((SELECT count(*) FROM followup.suppression AS s JOIN followup.lead AS l ON lower(l.email) = s.address WHERE l.id = :theirs), 0::bigint, 'not even its address');
SELECT followup.apply_inbound_reply(1, '{"from": "x@y.example", "subject": "Re:", "text": "Hello?"}') \g /dev/null
SELECT max(id) AS reply FROM followup.reply \gset
SELECT throws_ok(format('SELECT followup.settle_reply(1, %s, %s, ''stop'', 1)', :reply, :theirs), '42501', format('settle_reply: lead %s is not user 1''s', :theirs), 'gives it no reply');
SELECT is((SELECT lead_id FROM followup.settle_reply(1, :reply, :mine2, 'stop', 1)), :mine2::bigint, 'but an own one');
SELECT followup.apply_inbound_reply(1, jsonb_build_object('from', email, 'subject', 'Re:', 'text', 'You are scammers!', 'dmarc', 'pass')) FROM followup.lead WHERE id = :theirs \g /dev/null
SELECT max(id) AS reply FROM followup.reply \gset
SELECT throws_ok(format('SELECT followup.settle_reply(1, %s, p_actor => 1)', :reply), '42501', format('settle_reply: lead %s is not user 1''s', :theirs), 'settles none of another''s');
SELECT is((SELECT settled_at FROM followup.reply WHERE id = :reply), NULL, 'it waits still');
SAVEPOINT before;      -- what an import's own transaction has written is an earlier line of it
SELECT t.lead() AS ours, t.lead() AS other \gset
UPDATE followup.lead SET rep_id = 1 WHERE id = :ours;
RELEASE before;
SELECT is((SELECT string_agg(concat_ws(' ', i.outcome, i.reason), ', ' ORDER BY i.line)
             FROM followup.import_leads(1, (SELECT jsonb_agg(jsonb_build_object('email', l.email, 'first_name', 'Neu') ORDER BY l.id) FROM followup.lead AS l WHERE l.id IN (:ours, :other)),
                                        p_duplicates => 'update', p_actor => 1) AS i), 'updated, refused email: is a lead of somebody else', 'an import updates own leads alone');
SELECT is((SELECT array_agg(first_name ORDER BY id) FROM followup.lead WHERE id IN (:ours, :other)), ARRAY['Neu', NULL], 'as it says');
SAVEPOINT before;
SELECT t.lead() AS kept, t.lead() AS ours \gset
UPDATE followup.lead SET rep_id = 1 WHERE id IN (:kept, :ours);
RELEASE before;
CREATE FUNCTION t.imported(p_lead bigint, p_rep text, p_actor bigint) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', i.outcome, i.reason)
      FROM followup.lead AS l, followup.import_leads(1, jsonb_build_array(jsonb_build_object('email', l.email, 'rep_email', p_rep)), p_duplicates => 'update', p_actor => p_actor) AS i
     WHERE l.id = p_lead $$;
SELECT is(t.imported(:kept, 'max@a.example', 1), 'refused rep_email: is not the lead''s representative, and reassign is not permitted', 'an import gives no lead away without reassign');
SELECT is(t.imported(:ours, 'Rita@a.example', 1), 'updated', 'to name its own representative is no change');
SELECT is(t.imported(:kept, 'max@a.example', 2), 'updated', 'whoever may reassign may do so by an import');
SELECT is((SELECT array_agg(rep_id ORDER BY id) FROM followup.lead WHERE id IN (:kept, :ours)), '{2,1}', 'as it says');
SELECT followup.grant_permission(1, 'closer', p, p_actor => 3) FROM unnest('{suppress,users}'::text[]) AS p \g /dev/null
SELECT email AS their_email, external_id FROM followup.lead WHERE id = :theirs \gset
SELECT throws_ok(format('SELECT followup.suppress(1, %L, ''asked'', ''mail'', 1)', upper(:'their_email')), '42501', format('suppress: %s is the address of a lead that is not user 1''s', :'their_email'), 'the address of another''s lead is not suppressed');
SELECT is((SELECT count(*) FROM followup.suppress(1, 'nobody@l.example', 'asked', 'mail', 1)), 0::bigint, 'one that is no lead''s is');
SELECT throws_ok($$ SELECT followup.add_user(1, 'Boss', 'boss@a.example', 'manager', p_actor => 1) $$, '42501',
                 'user 1 cannot grant what they lack: all_leads, grant_stop, hold, pause, reassign, reschedule, rules', 'nobody makes a user who may more');
INSERT INTO followup.app_user (account_id, id, name, email) VALUES (1, 5, 'Rob', 'rob@a.example') RETURNING id AS rob \gset
UPDATE followup.lead SET external_id = 'x' || id WHERE id IN (:mine, :theirs);
CREATE FUNCTION t.coded(p_lead bigint, p_code text, p_actor bigint) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', r.done, r.reason) FROM followup.crm_status(1, 'HigherGear', 'x' || p_lead, p_code, p_actor) AS r $$;
SELECT is(t.coded(:theirs, '9', 1), 'f not_own_lead', 'no code stops another''s lead');
SELECT is(t.coded(:mine, '9', :rob), 'f not_permitted', 'nor any without the permission stop');
UPDATE followup.lead SET rep_id = :rob WHERE id = :mine;
SELECT is(t.coded(:mine, '9', :rob), 'f not_permitted', 'not even an own one');
SELECT is((SELECT concat_ws('/', state, crm_status) FROM followup.lead WHERE id = :mine), 'active', 'what was refused is not recorded either');
SELECT is(t.coded(:mine, '12', :rob), 't', 'a code that does nothing is a status to set');
UPDATE followup.lead SET rep_id = 1 WHERE id = :mine;
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.unsubscribe(1, :mine, p_actor => 1)), 't', 'an own lead is unsubscribed');
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.unsubscribe(1, :theirs, p_actor => 2)), 't', 'and by who reaches all leads any');

-- Direct writes
CREATE ROLE t_admin LOGIN IN ROLE followup_admin;
CREATE ROLE t_app LOGIN IN ROLE followup_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO t_admin, t_app;
SELECT throws_ok(format('UPDATE followup.lead SET state = ''stopped'', sub_state = NULL WHERE id = %s', t.started()), '42501',
                 NULL, 'a lead''s state is not written directly, not even by a superuser');
SELECT throws_ok(format('UPDATE followup.lead SET status = ''satisfied'' WHERE id = %s', :own), '42501', NULL, 'nor is its status');
SELECT lives_ok(format('UPDATE followup.lead SET first_name = ''Bo'', state = state WHERE id = %s', :own), 'its name is');

-- Sessions
SET SESSION AUTHORIZATION t_admin;
SELECT is((SELECT concat_ws(' ', done, reason) FROM followup.restart_follow_up(1, ARRAY[8500])), 'f not_found', 'a member of followup_admin needs no actor');
SELECT ok((followup.unsubscribe(1, :own)).done, 'and may what a manager may');
RESET SESSION AUTHORIZATION;
SELECT is((SELECT actor FROM followup.activity WHERE lead_id = :own AND action = 'unsubscribe'), 'sql:t_admin', 'logged by the role');
SET SESSION AUTHORIZATION t_app;
SELECT throws_ok('SELECT followup.restart_follow_up(1, ARRAY[1])', '42501', NULL, 'the application names an actor');
SELECT throws_ok('SELECT followup.restart_follow_up(1, ARRAY[1], p_actor => 2)', '42501', NULL, 'and its account');
SET followup.account = '2';
SELECT throws_ok('SELECT followup.restart_follow_up(1, ARRAY[1], p_actor => 2)', '42501', NULL, 'and no other account');
SELECT throws_ok($$ SELECT followup.record_reply(1, NULL, 'a', 'b', 'c', p_lead => 1) $$, '42501', NULL, 'for replies too');
SELECT lives_ok('SELECT followup.restart_follow_up(2, ARRAY[1], p_actor => 4)', 'its own it may');
SELECT is_empty('SELECT * FROM followup.preview(1, 1)', 'a preview of another account is empty');
SELECT throws_ok('SELECT followup.end_conversations(2, ARRAY[1]::bigint[], ''stopped'', NULL)', '42501', NULL, 'the pieces behind the actions are nobody''s to call');
RESET SESSION AUTHORIZATION;
SELECT * FROM finish();
ROLLBACK;
