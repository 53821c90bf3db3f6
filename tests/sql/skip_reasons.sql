-- Every value of followup.skip_reason is the answer of some action. The list below is compared with the type: a value that
-- is added there, or that no call answers any more, fails.
\ir support/rules_world.sql
CREATE TABLE t.answer (call text, reason followup.skip_reason);
CREATE FUNCTION t.ask(p_call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO t.answer SELECT %L, r.reason FROM %s AS r', p_call, p_call);
END $$;
\o /dev/null
SELECT t.lead() AS new, t.started() AS active, t.lead_in('active/follow_up') AS follow_up, t.lead_in('processed/completed') AS processed,
       t.lead_in('processed/responded') AS responded, t.lead_in('stopped') AS stopped, t.lead_in('unsubscribed') AS unsubscribed,
       t.lead_in('deactivated/BounceRisk') AS risk, t.started() AS held, t.started() AS sending, t.started() AS suppressed \gset
INSERT INTO followup.lead (account_id, email, sub_state) VALUES (1, 'v@l.example', 'validating') RETURNING id AS validating \gset
SELECT t.ask(format('followup.start_follow_up(1, ARRAY[%s, 99999, %s, %s, %s, %s, %s, %s], 1, 1)', :active, :processed, :stopped, :unsubscribed, :risk, :validating, :held));
SELECT t.ask(format('followup.start_follow_up(1, ARRAY[%s], 3, 1)', :new));
SELECT t.ask(format('followup.start_follow_up(1, ARRAY[%s], 1)', :new));
SELECT t.ask(format('followup.start_follow_up(1, ARRAY[%s], 1, 1, ''2020-01-01'')', :new));
SELECT t.ask(format('followup.start_follow_up(1, ARRAY[%s], 1, 1, p_actor => 1)', :new));
SELECT t.ask(format('followup.continue_follow_up(1, ARRAY[%s, %s])', :new, :processed));
SELECT t.ask(format('followup.skip_to_follow_up(1, ARRAY[%s, %s])', :follow_up, :responded));
SELECT t.ask(format('followup.skip_to_follow_up(1, ARRAY[%s], p_actor => 1)', :active));
SELECT followup.set_status(1, ARRAY[:responded], 'disqualified');
SELECT t.ask(format('followup.restart_follow_up(1, ARRAY[%s], NULL, 1, 1, p_disqualified => false)', :responded));
UPDATE followup.account SET restart_bounce_risk = true, bounce_rate_limit = 0 WHERE id = 1;
SELECT t.ask(format('followup.restart_follow_up(1, ARRAY[%s], NULL, 1, 1)', :risk));
SELECT t.ask(format('followup.skip_to_follow_up(1, ARRAY[(SELECT lead_id FROM followup.start_follow_up(1, ARRAY[%s], 2, 1))])', t.lead()));
SELECT followup.hold(1, ARRAY[:held], '2030-01-01');
SELECT t.ask(format('followup.reschedule(1, ARRAY[t.live(%s)])', :held));
SELECT t.ask(format('followup.release(1, ARRAY[%s])', :active));
SELECT t.claim(:sending);
SELECT t.ask(format('followup.reschedule(1, ARRAY[t.live(%s)])', :sending));
SELECT t.ask(format('followup.reschedule(1, ARRAY[(SELECT id FROM followup.message WHERE lead_id = %s)])', :stopped));
SELECT t.ask(format('followup.reactivate(1, ARRAY[%s])', :stopped));
SELECT followup.suppress(1, email, 'x', 'test') FROM followup.lead WHERE id = :new;
SELECT t.ask(format('followup.start_follow_up(1, ARRAY[%s], 1, 1)', :new));
\o
SELECT plan(1 + cardinality(enum_range(NULL::followup.skip_reason)));
SELECT isnt_empty(format('SELECT 1 FROM t.answer WHERE reason = %L', r), format('%s is answered by %s', r,
       coalesce((SELECT min(call) FROM t.answer WHERE reason = r), 'nobody')))
  FROM unnest(enum_range(NULL::followup.skip_reason)) AS r;
SELECT set_eq('SELECT DISTINCT reason FROM t.answer WHERE reason IS NOT NULL', $$SELECT unnest('{not_found,inactive,never_started,already_active,already_started,
    already_follow_up,stopped,unsubscribed,deactivated,suppressed,no_more_messages,no_follow_up_message,no_steps,no_assistant,not_permitted,
    not_own_lead,disqualified,in_flight,validating,not_scheduled,past_instant,held,not_held,note_required,bounce_rate}'::followup.skip_reason[])$$,
    'these are all reasons there are');
SELECT * FROM finish();
