-- One action on a cast of its own: plan = action = run; undo. For bulk.sql; wants :action.
SELECT t.people(:'action') \g /dev/null
SELECT t.reset() \g /dev/null
SELECT t.said(:'action', :'action') AS said \gset
SELECT t.picture(:'action') AS before \gset
SELECT t.plan(:'action', :'action') AS b \gset
SELECT is((SELECT (plan -> 'left_alone') || jsonb_build_object('', plan -> 'done') FROM followup.bulk WHERE id = :b), :'said'::jsonb,
          :'action' || ': planned are the counts that the action answers');
SELECT is(t.picture(:'action'), :'before', :'action' || ': a plan changes nothing');
SELECT followup.bulk_commit(1, :b, t.count(:b)) \g /dev/null
CALL followup.bulk_run(1, :b);
SELECT is((SELECT (planned = done, left_alone, state)::text FROM followup.bulk_status(1, :b)), '(t,{},done)', :'action' || ': what was planned is what is done');
SELECT followup.bulk_undo(1, :b, NULL, 'a mistake') \g /dev/null
CALL followup.bulk_run(1, :b);
SELECT is(t.picture(:'action') || (SELECT (undone = done, state)::text FROM followup.bulk_status(1, :b)), :'before' || '(t,undone)',
          :'action' || ': undone, everybody is as before');
SELECT t.plan(:'action', :'action', CASE WHEN :'action' <> 'stop' THEN followup.now() + interval '1 minute' END) AS b \gset
SELECT followup.bulk_commit(1, :b, t.count(:b), followup.now() + interval '1 minute') \g /dev/null
SELECT set_config('test.now', (followup.now() + interval '2 minutes')::text, false) \g /dev/null
CALL followup.bulk_run(1, :b);
SELECT is((SELECT (planned = done, left_alone)::text FROM followup.bulk_status(1, :b)), '(t,{})', :'action' || ': done after the instant it was planned for, it is done to all');
