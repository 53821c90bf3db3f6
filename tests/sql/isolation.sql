-- Locks first, then reads: only READ COMMITTED shows what others committed meanwhile.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT plan(7);
SELECT throws_ok(c, '25000', 'this function needs READ COMMITTED, the transaction is REPEATABLE READ', c)
  FROM unnest(ARRAY['SELECT followup.start_follow_up(1, ARRAY[1])', 'SELECT followup.restart_follow_up(1, ARRAY[1])',
                    'SELECT followup.continue_follow_up(1, ARRAY[1])', 'SELECT followup.skip_to_follow_up(1, ARRAY[1])',
                    'SELECT followup.stop_messaging(1, ARRAY[1])', 'SELECT followup.unsubscribe(1, 1)',
                    'SELECT followup.pause(1)']) AS c;
SELECT * FROM finish();
ROLLBACK;
