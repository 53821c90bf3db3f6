-- What comes back: replies of every outcome in every state that matters, bounces, unsubscribes, suppression.
BEGIN;
\ir support/rules_world.sql
SELECT plan(90);

-- Every outcome, on a lead in the sequence
SELECT is(x.state || ' ' || x.messages, c.expected, format('%s while active/sequence', coalesce(c.outcome, 'a reply without an outcome')))
  FROM (VALUES
    (NULL,                  'processed/responded/lead_to_review a:cancelled'),
    ('lead_to_review',      'processed/responded/lead_to_review a:cancelled'),
    ('further_action',      'processed/responded/further_action a:cancelled'),
    ('satisfied',           'processed/responded/satisfied a:cancelled'),
    ('disqualified',        'processed/responded/disqualified a:cancelled'),
    ('no_further_action',   'processed/responded/no_further_action a:cancelled'),
    ('lead_at_risk',        'processed/responded/lead_at_risk a:cancelled'),
    ('hot_lead',            'active/follow_up/hot_lead a:cancelled f:scheduled'),
    ('out_of_office',       'active/out_of_office a:scheduled'),
    ('keep_messaging',      'active/sequence a:scheduled'),
    ('stop',                'stopped a:cancelled'),
    ('unsubscribe',         'unsubscribed a:cancelled'),
    ('deactivate:Retired',  'deactivated/Retired/disqualified a:cancelled'),
    ('deactivate:MovedOut', 'deactivated/MovedOut/disqualified a:cancelled')) AS c (outcome, expected)
 CROSS JOIN LATERAL t.after_reply('active/sequence', c.outcome) AS x;

-- Before a pending follow-up left, an answer keeps follow-up and status
SELECT is(x.state || ' ' || x.messages, c.expected, format('%s before the follow-up left', coalesce(c.outcome, 'a reply without an outcome')))
  FROM (VALUES
    (NULL,                  'active/follow_up/hot_lead a:cancelled f:scheduled'),
    ('satisfied',           'active/follow_up/hot_lead a:cancelled f:scheduled'),
    ('disqualified',        'active/follow_up/hot_lead a:cancelled f:scheduled'),
    ('hot_lead',            'active/follow_up/hot_lead a:cancelled f:scheduled'),
    ('out_of_office',       'active/follow_up/hot_lead a:cancelled f:scheduled'),
    ('keep_messaging',      'active/follow_up/hot_lead a:cancelled f:scheduled'),
    ('lead_to_review',      'processed/responded/lead_to_review a:cancelled f:cancelled'),
    ('stop',                'stopped/hot_lead a:cancelled f:cancelled'),
    ('unsubscribe',         'unsubscribed/hot_lead a:cancelled f:cancelled'),
    ('deactivate:Retired',  'deactivated/Retired/disqualified a:cancelled f:cancelled')) AS c (outcome, expected)
 CROSS JOIN LATERAL t.after_reply('active/follow_up hot', c.outcome) AS x;

-- After it left
SELECT is(x.state || ' ' || x.messages, c.expected, format('%s after the follow-up left', c.outcome))
  FROM (VALUES
    ('satisfied', 'processed/responded/satisfied a:cancelled f:sent g:cancelled'),
    ('hot_lead',  'active/follow_up/hot_lead a:cancelled f:sent g:scheduled')) AS c (outcome, expected)
 CROSS JOIN LATERAL t.after_reply('after follow_up', c.outcome) AS x;

-- In other states
SELECT is(x.state, c.expected, format('%s while %s', c.outcome, c.before))
  FROM (VALUES
    ('processed/responded', 'satisfied',          'processed/responded/satisfied'),
    ('processed/responded', 'hot_lead',           'active/follow_up/hot_lead'),
    ('processed/responded', 'stop',               'stopped/further_action'),
    ('processed/failed',    'satisfied',          'processed/responded/satisfied'),
    ('processed/completed', 'hot_lead',           'processed/responded/hot_lead'),   -- its sequence has no follow-up
    ('new',                 'satisfied',          'new/satisfied'),
    ('new',                 'stop',               'stopped'),
    ('stopped',             'hot_lead',           'stopped/hot_lead'),
    ('stopped',             'unsubscribe',        'unsubscribed'),
    ('unsubscribed',        'hot_lead',           'unsubscribed/hot_lead'),
    ('unsubscribed',        'deactivate:Retired', 'unsubscribed/disqualified'),
    ('deactivated/MovedOut','deactivate:Retired', 'deactivated/Retired/disqualified'),
    ('active/out_of_office','further_action',     'processed/responded/further_action')) AS c (before, outcome, expected)
 CROSS JOIN LATERAL t.after_reply(c.before, c.outcome) AS x;

-- What the functions answer, and what is stored
SET test.now = '2026-03-16 08:00+00';
SELECT t.started() AS l \gset
SELECT t.finish(:l) AS m, followup.now() + '48 hours' AS follow_up \gset
SELECT is((SELECT (done, reason, due_at)::text FROM t.reply(:l, 'hot_lead')), (true, NULL::text, :'follow_up'::timestamptz)::text, 'hot_lead answers the follow-up');
SELECT is((SELECT (outcome, from_address, subject, rule)::text FROM followup.reply WHERE lead_id = :l), '(hot_lead,lead@l.example,"Re: hello",)', 'the reply is stored');
SELECT is(followup.conversation_status(1, :l), 'Follow-up scheduled for 2026-03-18 09:00 Europe/Berlin', 'Conversation Status, in the zone of the lead');
SELECT t.started() AS l \gset
SELECT t.finish(:l) AS b, id AS a FROM followup.message WHERE lead_id = :l \gset
SELECT is((followup.record_reply(1, :a, 'x@l.example', NULL, NULL)).lead_id, :l::bigint, 'a reply finds its lead by the message');
SELECT is(followup.conversation_status(1, :l), 'Response received', 'Response received');
SELECT is((SELECT due_at FROM followup.continue_follow_up(1, ARRAY[:l])), followup.now(), 'a reply, then continue');
SELECT is((followup.record_reply(1, 424242, 'x@l.example', NULL, NULL)).reason::text, 'not_found', 'a reply to nothing is not found');
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS m \gset
SELECT is((SELECT in_flight FROM t.reply(:l, 'stop')), ARRAY[:m]::bigint[], 'a reply while a message is in flight lists it');
SELECT is(t.messages(:l), '(a:sending)', 'and detaches it');
SELECT is(followup.conversation_status(1, :l), 'Stopped by assistant: reply of 2026-03-16', 'Conversation Status of a stop by a reply');

-- Rules
INSERT INTO followup.reply_rule (account_id, position, applies, field, pattern, outcome)
VALUES (1, 2, 'any', 'body', 'text', 'satisfied'), (1, 1, 'after_follow_up', 'subject', 'RE:', 'disqualified'), (2, 0, 'any', 'body', 'text', 'stop');
SELECT is((SELECT state FROM t.after_reply('active/sequence', NULL)), 'processed/responded/satisfied', 'the first rule that matches says what a reply means');
SELECT is((SELECT state FROM t.after_reply('after follow_up', NULL)), 'processed/responded/disqualified', 'some apply after the follow-up only');
SELECT is((SELECT state FROM t.after_reply('active/sequence', 'stop')), 'stopped', 'an outcome that is given wins over rules');
SELECT is((SELECT outcome || ' ' || (rule IS NOT NULL) FROM followup.reply ORDER BY id DESC OFFSET 1 LIMIT 1), 'disqualified true', 'the rule is stored with the reply');

-- Bounces
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT ok((followup.record_bounce(1, :a, 'hard', 'no such user')).done, 'a hard bounce');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'deactivated/BounceDeactivated a:bounced b:cancelled', 'deactivates the lead and cancels what is pending');
SELECT is(followup.conversation_status(1, :l), 'Deactivated: BounceDeactivated', 'and is shown');
SELECT is((followup.record_bounce(1, :a, 'hard')).reason::text, 'inactive', 'told twice it does nothing more');
SELECT is((followup.record_bounce(1, :b, 'hard')).reason::text, 'inactive', 'what never left cannot bounce');
SELECT is((followup.record_bounce(1, 424242, 'hard')).reason::text, 'not_found', 'nor what does not exist');
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT done FROM followup.record_bounce(1, :a, 'unknown') \gset
SELECT is(t.state(:l), 'deactivated/CannotDetermine', 'a bounce that does not say why');
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT is((followup.record_bounce(1, :a, 'soft', 'mailbox full')).due_at, followup.now() + '4 hours', 'a soft bounce: the same step four hours later');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'active/sequence a:bounced b:cancelled a:scheduled', 'as a new message, the next step cancelled first');
SELECT t.finish(:l) AS b \gset
SELECT is(t.messages(:l), 'a:bounced b:cancelled a:sent b:scheduled', 'after it the sequence goes on');
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT (followup.record_bounce(1, :a, 'soft')).message_id AS a \gset
SELECT t.finish(:l) AS b, followup.now() AS at \gset
SELECT (r).message_id AS a, (r).due_at - :'at' AS wait FROM followup.record_bounce(1, :a, 'soft') AS r \gset
SELECT is(:'wait'::interval, '24 hours', 'the second time a day later');
SELECT t.finish(:l) AS b, followup.now() AS at \gset
SELECT (r).message_id AS a, (r).due_at - :'at' AS wait FROM followup.record_bounce(1, :a, 'soft', 'mailbox full') AS r \gset
SELECT is(:'wait'::interval, '72 hours', 'then three days');
SELECT t.finish(:l) AS b \gset
SELECT (followup.record_bounce(1, :a, 'soft', 'mailbox full')).message_id AS none \gset
SELECT is(t.state(:l), 'deactivated/BounceDeactivated', 'and the fourth soft bounce of a step counts as hard');
SELECT is((SELECT ended_by FROM followup.conversation WHERE lead_id = :l), 'soft bounce 4 of the same message: mailbox full', 'with its reason');
SELECT is_empty('SELECT FROM followup.suppression AS s JOIN followup.lead AS l ON lower(l.email) = s.address WHERE l.id = ' || :l, 'its address is not suppressed');
SELECT t.started() AS l \gset
SELECT t.live(:l) AS a, t.finish(:l) AS b \gset
SELECT t.claim(:l) AS b \gset
SELECT is((SELECT (done, message_id)::text FROM followup.record_bounce(1, :a, 'soft')), '(t,)', 'a soft bounce when the next message is on its way is only recorded');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'active/sequence a:bounced b:sending', 'and changes nothing else');
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS a \gset
SELECT done FROM followup.record_bounce(1, :a, 'soft') \gset
SELECT is(t.messages(:l), 'a:bounced a:scheduled', 'a soft bounce that came before the result');

-- Unsubscribe
SELECT t.started() AS l \gset
SELECT ok((followup.unsubscribe(1, p_token => (SELECT unsubscribe_token FROM followup.lead WHERE id = :l))).done, 'unsubscribe by the link');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'unsubscribed a:cancelled', 'ends everything');
SELECT is((SELECT reason || ' ' || source FROM followup.suppression AS s JOIN followup.lead AS l ON lower(l.email) = s.address WHERE l.id = :l), 'unsubscribed lead', 'and suppresses the address');
SELECT is((followup.unsubscribe(1, :l)).reason::text, 'unsubscribed', 'a second time it is not done again');
SELECT is((followup.unsubscribe(1, p_token => gen_random_uuid())).reason::text, 'not_found', 'an unknown token finds nobody');
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS m \gset
SELECT is((followup.unsubscribe(1, p_message => :m)).in_flight, ARRAY[:m]::bigint[], 'unsubscribe by a message, itself in flight');

-- Suppress
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS m \gset
SELECT results_eq(format('SELECT * FROM followup.suppress(1, (SELECT email FROM followup.lead WHERE id = %s), ''asked'', ''mail'')', :l),
                  format('VALUES (%s::bigint, ARRAY[%s]::bigint[])', :l, :m), 'suppress answers the lead and what had left');
SELECT is(t.state(:l) || ' ' || (SELECT ended_reason FROM followup.conversation WHERE lead_id = :l), 'stopped suppressed', 'the lead is stopped');
SELECT is_empty($$ SELECT * FROM followup.suppress(1, 'Nobody@l.example', 'asked', 'mail') $$, 'an address without a lead');
SELECT is((SELECT reason FROM followup.suppression WHERE address = 'nobody@l.example'), 'asked', 'is on the list, in lower case');
SELECT t.lead_in('processed/responded') AS l \gset
SELECT count(*) AS n FROM followup.suppress(1, (SELECT email FROM followup.lead WHERE id = :l), 'asked', 'mail') \gset
SELECT is((SELECT reason FROM followup.restart_follow_up(1, ARRAY[:l])), 'suppressed', 'a suppressed address does not restart');
SELECT is((SELECT reason FROM followup.continue_follow_up(1, ARRAY[:l])), 'suppressed', 'nor continue');
SELECT is((SELECT state FROM t.after_reply_of(:l, 'hot_lead')), 'processed/responded/hot_lead', 'nor follow a hot reply');

-- Pause
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS m \gset
SELECT ok(:m = ANY (followup.pause(1)), 'pause lists what had left');
SELECT is(followup.pause(1, p_assistant => 2), '{}', 'of an assistant only its own');
SELECT ok((SELECT paused_at = followup.now() FROM followup.account WHERE id = 1), 'the account is paused');
SELECT ok(followup.resume(1) AND NOT followup.resume(1), 'resume says whether it was paused');
SELECT is((SELECT string_agg(action, ' ' ORDER BY id) FROM followup.activity WHERE lead_id IS NULL AND action IN ('pause', 'resume')), 'pause pause resume', 'in the record');

SELECT is_empty($$ SELECT c.id FROM followup.conversation AS c
                    WHERE (c.state = 'active') <> (1 = (SELECT count(*) FROM followup.message AS m
                                                         WHERE m.conversation_id = c.id AND m.pending AND NOT m.detached)) $$,
                'an active conversation has exactly one live message, an ended one none');
SELECT * FROM finish();
ROLLBACK;
