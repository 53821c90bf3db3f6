-- Locks first, then reads: only READ COMMITTED shows what others committed meanwhile.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT plan(16);
SELECT throws_ok(c, '25000', 'this function needs READ COMMITTED, the transaction is REPEATABLE READ', c)
  FROM unnest(ARRAY['SELECT followup.start_follow_up(1, ARRAY[1])', 'SELECT followup.restart_follow_up(1, ARRAY[1])',
                    'SELECT followup.continue_follow_up(1, ARRAY[1])', 'SELECT followup.skip_to_follow_up(1, ARRAY[1])',
                    'SELECT followup.stop_messaging(1, ARRAY[1])', 'SELECT followup.unsubscribe(1, 1)',
                    'SELECT followup.pause(1)', 'SELECT followup.hold(1, ARRAY[1])', 'SELECT followup.release(1, ARRAY[1])',
                    'SELECT followup.reschedule(1, ARRAY[1])', 'SELECT followup.set_status(1, ARRAY[1], ''satisfied'')',
                    'SELECT followup.reassign(1, ARRAY[1])', 'SELECT followup.reactivate(1, ARRAY[1])',
                    'SELECT followup.crm_status(1, ''a'', ''b'', ''c'')', 'SELECT followup.validate_leads(1, ARRAY[1])',
                    'SELECT followup.record_validation(1, ARRAY[1], ''valid'')']) AS c;
SELECT * FROM finish();
ROLLBACK;
