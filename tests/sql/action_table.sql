-- Every cell of the action table: what each action says to a lead in each state.
BEGIN;
\ir support/rules_world.sql
SELECT plan(100);

CREATE TABLE t.cell (state text, action text, expected text);
INSERT INTO t.cell
SELECT r.state, a.action, a.expected
  FROM (VALUES
    --                        start              skip                 stop        continue            restart
    ('new',                  'yes',             'inactive',          'inactive', 'never_started',    'yes'),
    ('active/sequence',      'already_active',  'yes',               'yes',      'already_active',   'yes'),
    ('active/out_of_office', 'already_active',  'yes',               'yes',      'already_active',   'yes'),
    ('active/follow_up',     'already_active',  'already_follow_up', 'yes',      'already_active',   'yes'),
    ('active/follow_up hot', 'already_active',  'already_follow_up', 'yes',      'already_active',   'yes'),
    ('processed/responded',  'already_started', 'inactive',          'inactive', 'yes',              'yes'),
    ('processed/completed',  'already_started', 'inactive',          'inactive', 'no_more_messages', 'yes'),
    ('processed/failed',     'already_started', 'inactive',          'inactive', 'yes',              'yes'),
    ('stopped',              'stopped',         'inactive',          'inactive', 'stopped',          'stopped'),
    ('unsubscribed',         'unsubscribed',    'inactive',          'inactive', 'unsubscribed',     'unsubscribed'))
       AS r (state, start, skip, stop, continue, restart)
 CROSS JOIN LATERAL (VALUES ('start', r.start), ('skip', r.skip), ('stop', r.stop), ('continue', r.continue),
                            ('restart', r.restart)) AS a (action, expected);
INSERT INTO t.cell
SELECT 'deactivated/' || s.sub_state, a.action,
       CASE WHEN a.action IN ('skip', 'stop') THEN 'inactive' ELSE 'deactivated ' || s.sub_state END
  FROM unnest(ARRAY['InvalidEmail', 'BounceRisk', 'ServerUnReachable', 'SpamTrap', 'Disposable', 'BounceDeactivated',
                    'CannotDetermine', 'Retired', 'MovedOut', 'ReferredSomeone']) AS s (sub_state)
 CROSS JOIN unnest(ARRAY['start', 'skip', 'stop', 'continue', 'restart']) AS a (action);

SELECT is(CASE WHEN r.done THEN 'yes' ELSE concat_ws(' ', r.reason, r.sub_state) END, c.expected,
          format('%s of a lead that is %s: %s', c.action, c.state, c.expected))
  FROM t.cell AS c
 CROSS JOIN LATERAL (SELECT (x).* FROM (SELECT t.act(c.action, t.lead_in(c.state)) AS x OFFSET 0) AS y) AS r;

SELECT * FROM finish();
ROLLBACK;
