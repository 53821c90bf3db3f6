-- Sequences with versions, the follow-up outside the positions, the default feedback, restart over what is deactivated.
BEGIN;
\ir support/rules_world.sql
SELECT plan(38);
CREATE FUNCTION t.said(r followup.action_result) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws('/', CASE WHEN r.done THEN 'yes' ELSE r.reason::text END, r.sub_state) $$;

-- A second version: step b has gone, n is new before c, and c says something else; f has gone too.
SELECT t.started() AS under_way, t.lead_in('processed/responded') AS early \gset
SELECT t.started() AS answered \gset
SELECT t.finish(:under_way) AS m, t.finish(:answered) AS m2 \gset
SELECT t.finish(:answered) AS m3 \gset
SELECT state FROM t.reply(:answered, 'further_action') AS r, LATERAL (SELECT t.state(:answered) AS state) AS s \gset
INSERT INTO followup.sequence_version (account_id, sequence_id, version) VALUES (1, 1, 2);
INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, subject, body_text)
VALUES (1, 1, 2, 'sequence', 1, 'a', '0', 'Step a2', 'A'), (1, 1, 2, 'sequence', 2, 'n', '1 day', 'Step n', 'N'),
       (1, 1, 2, 'sequence', 3, 'c', '3 days', 'Step c2', 'C'), (1, 1, 2, 'sequence', 4, 'd', '4 days', 'Step d', 'D'),
       (1, 1, 2, 'follow_up', 1, 'g', '0', 'Feedback g2', 'G');
SELECT is(t.messages(:under_way), 'a:sent b:scheduled', 'under way: the next step of the version it began with');
SELECT t.finish(:under_way) AS m \gset
SELECT t.finish(:under_way) AS m \gset
SELECT is(t.messages(:under_way) || ' ' || t.state(:under_way), 'a:sent b:sent c:sent processed/completed', 'to that version''s end');
SELECT is((SELECT string_agg(DISTINCT version::text, ' ') FROM followup.message WHERE lead_id = :under_way), '1', 'all of version 1');
SELECT is((SELECT string_agg(t.said(r), ' ') FROM followup.continue_follow_up(1, ARRAY[:under_way]) AS r), 'yes', 'continue after the end, steps were added');
SELECT is(t.messages(:under_way), 'a:sent b:sent c:sent d:scheduled', 'by step_key: the step after the last one sent');
SELECT is((SELECT version FROM followup.conversation WHERE lead_id = :under_way), 2, 'on the newest version');
SELECT is((SELECT string_agg(t.said(r), ' ') FROM followup.continue_follow_up(1, ARRAY[:answered]) AS r), 'yes', 'continue after a reply');
SELECT is(t.messages(:answered), 'a:sent b:sent c:cancelled n:scheduled', 'b has gone from version 2: the first unsent step after a');
SELECT is((SELECT string_agg(t.said(r), ' ') FROM followup.continue_follow_up(1, ARRAY[:early]) AS r) || ' ' || t.messages(:early), 'yes a:cancelled a:scheduled', 'nothing sent: from the first');
SELECT is((SELECT version FROM followup.message WHERE id = t.live(:early)), 2, 'of the newest version');
SELECT t.lead_in('active/follow_up') AS l \gset
SELECT is((SELECT m.version FROM followup.message AS m WHERE m.id = t.live(:l)), 2, 'a start takes the newest version');
-- after a follow-up
SELECT t.started() AS l \gset
SELECT t.finish(:l) AS m \gset
SELECT followup.skip_to_follow_up(1, ARRAY[:l]) AS s \gset
SELECT t.finish(:l) AS m \gset
SELECT is(t.messages(:l) || ' ' || t.state(:l), 'a:sent n:cancelled g:sent processed/completed', 'the follow-ups end a conversation, not the sequence');
SELECT is((SELECT string_agg(t.said(r), ' ') FROM followup.continue_follow_up(1, ARRAY[:l]) AS r), 'yes', 'continue after a follow-up');
SELECT is(t.messages(:l), 'a:sent n:cancelled g:sent n:scheduled', 'goes on with the sequence');
SELECT is(t.state(:l), 'active/sequence', 'as a sequence');
-- restart
SELECT is((SELECT string_agg(t.said(r), ' ') FROM followup.restart_follow_up(1, ARRAY[:l]) AS r) || ' ' || t.messages(:l), 'yes a:sent n:cancelled g:sent n:cancelled a:scheduled', 'restart: from the first message');
SELECT is((SELECT string_agg(state || ' ' || coalesce(ended_reason::text, '-'), ', ' ORDER BY id) FROM followup.conversation WHERE lead_id = :l), 'ended restarted, active -', 'in a conversation of its own');
-- a restart on another sequence while a message is in flight, and in doubt
SELECT t.claim(:l) AS m \gset
SELECT is((SELECT in_flight FROM followup.restart_follow_up(1, ARRAY[:l], NULL, 2)), ARRAY[:m]::bigint[], 'restart on another sequence lists what is in flight');
SET ROLE followup_owner;
UPDATE followup.message SET state = 'in_doubt' WHERE id = :m;
RESET ROLE;
SELECT is((SELECT in_flight FROM followup.restart_follow_up(1, ARRAY[:l], NULL, 1)), ARRAY[:m]::bigint[], 'and what is in doubt');
SELECT is((SELECT count(*) FROM followup.message WHERE lead_id = :l AND pending AND NOT detached), 1::bigint, 'one live message all the same');

-- The follow-up is never reached by the sequence's end
SELECT t.lead_in('processed/completed') AS l \gset
SELECT is((SELECT count(*) FROM followup.message WHERE lead_id = :l AND kind = 'follow_up'), 0::bigint, 'a sequence ends without a follow-up');
-- The account's own feedback, for a sequence without one
SELECT t.started(2) AS l \gset
SELECT is((SELECT reason FROM followup.skip_to_follow_up(1, ARRAY[:l])), 'no_follow_up_message', 'neither: refused');
UPDATE followup.account SET feedback_subject = 'How was it?', feedback_body_text = 'Tell us.' WHERE id = 1;
SELECT is((SELECT done FROM followup.skip_to_follow_up(1, ARRAY[:l])), true, 'the account''s feedback message');
SELECT is(t.messages(:l), 's:cancelled -:scheduled', 'is no step');
SELECT t.finish(:l) AS m \gset
SELECT is(t.state(:l), 'processed/completed', 'and the last one');

-- Restart over what is deactivated, counted by sub-state
SELECT array_agg(t.lead_in('deactivated/' || s)) AS gone
  FROM unnest(ARRAY['InvalidEmail', 'BounceRisk', 'ServerUnReachable', 'SpamTrap', 'Disposable', 'BounceDeactivated', 'CannotDetermine', 'Retired',
                    'MovedOut', 'ReferredSomeone', 'Retired']) AS s \gset
SELECT t.lead_in('unsubscribed') AS u, t.lead_in('processed/completed') AS p \gset
SELECT set_eq(format('SELECT concat_ws(''/'', CASE WHEN r.done THEN ''done'' ELSE r.reason::text END, r.sub_state), count(*)::integer FROM followup.restart_follow_up(1, %L::bigint[] || ARRAY[%s, %s]::bigint[], NULL, 1, 1) AS r GROUP BY 1', :'gone', :u, :p),
    $$VALUES ('deactivated/BounceDeactivated', 1), ('deactivated/BounceRisk', 1), ('deactivated/CannotDetermine', 1), ('deactivated/Disposable', 1),
             ('deactivated/InvalidEmail', 1), ('deactivated/MovedOut', 1), ('deactivated/ReferredSomeone', 1), ('deactivated/Retired', 2),
             ('deactivated/ServerUnReachable', 1), ('deactivated/SpamTrap', 1), ('done', 1), ('unsubscribed', 1)$$, 'counted by reason and sub-state');
-- BounceRisk, with the switch and the 7-day rate
SELECT t.lead_in('deactivated/BounceRisk') AS r1, t.lead_in('deactivated/BounceRisk') AS r2 \gset
UPDATE followup.account SET restart_bounce_risk = true WHERE id = 1;
SELECT is((SELECT string_agg(t.said(r), ' ') FROM followup.restart_follow_up(1, ARRAY[:r1], NULL, 1, 1) AS r), 'yes', 'restart_bounce_risk lets BounceRisk restart');
SELECT is((SELECT string_agg(t.said(r), ' ') FROM followup.restart_follow_up(1, (:'gone'::bigint[])[3:4], NULL, 1, 1) AS r), 'deactivated/ServerUnReachable deactivated/SpamTrap', 'and nobody else');
SELECT t.started() AS l \gset
SELECT t.finish(:l, 'bounced') AS m \gset
SELECT cmp_ok(followup.bounce_rate(1), '>', 0.05, 'a bounce of these days');
SELECT is((SELECT string_agg(t.said(r), ' ') FROM followup.restart_follow_up(1, ARRAY[:r2], NULL, 1, 1) AS r), 'bounce_rate/BounceRisk', 'above the limit it does not');
SELECT set_config('test.now', (followup.now() + '8 days')::text, false) AS n \gset
SELECT is(followup.bounce_rate(1), 0::numeric, 'a week later it counts no more');
SELECT is((SELECT string_agg(t.said(r), ' ') FROM followup.restart_follow_up(1, ARRAY[:r2], NULL, 1, 1) AS r), 'yes', 'and BounceRisk restarts');

-- hot_lead, and a "thanks!" before the follow-up leaves
SELECT t.started() AS l \gset
SELECT t.finish(:l) AS m \gset
SELECT (t.reply(:l, 'hot_lead')).message_id AS f \gset
SELECT is((SELECT due_at - followup.now() FROM followup.message WHERE id = :f), '48 hours'::interval, 'hot_lead: the follow-up, follow_up_delay from now');
SELECT is(t.state(:l), 'active/follow_up/hot_lead', 'the lead is hot');
SELECT set_config('test.now', (followup.now() + '1 hour')::text, false) AS n \gset
SELECT (t.reply(:l, 'no_further_action')).done AS d \gset
SELECT is(t.state(:l) || ' ' || t.live(:l), 'active/follow_up/hot_lead ' || :'f', 'a thanks before it leaves changes nothing');
SELECT t.finish(:l) AS m \gset
SELECT (t.reply(:l, 'satisfied')).done AS d \gset
SELECT is(t.state(:l), 'processed/responded/satisfied', 'after it left, the answer counts');
-- disqualified
SELECT t.lead_in('processed/responded') AS l \gset
SELECT followup.set_status(1, ARRAY[:l], 'disqualified') AS s \gset
SELECT is((SELECT reason FROM followup.continue_follow_up(1, ARRAY[:l], p_disqualified => false)), 'disqualified', 'a bulk leaves disqualified leads out');
SELECT is((SELECT done FROM followup.continue_follow_up(1, ARRAY[:l])), true, 'unless it is asked for');
SELECT * FROM finish();
ROLLBACK;
