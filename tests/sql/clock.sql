-- Business time: the real one, and what sql/demo/fast_clock.sql makes of it.
BEGIN;
SELECT plan(9);
SELECT ok(NOT followup.clock_is_replaced(), 'the clock is the real one');
SELECT ok(followup.now() BETWEEN clock_timestamp() - '5 minutes'::interval AND clock_timestamp() + '5 minutes', 'business time is real time');
SELECT followup.now() AS earlier \gset
SELECT ok(followup.now() > :'earlier', 'it moves within a transaction');
\set business '2026-03-02 08:00+01'
\set real '2026-01-01 00:00+00'
\set rate 3600
\ir ../../sql/demo/fast_clock.sql
SELECT ok(followup.clock_is_replaced(), 'fast_clock.sql says that it replaced the clock');
SELECT is((SELECT rate FROM followup.clock()), 3600::double precision, 'with its rate');
SELECT ok((SELECT c.business - ('2026-03-02 07:00+00'::timestamptz + (clock_timestamp() - '2026-01-01 00:00+00') * 3600)
             FROM followup.clock() AS c) BETWEEN '-10 days' AND '10 days', 'business time counts from its origin at that rate');
SELECT ok((SELECT followup.now() - c.business FROM followup.clock() AS c) BETWEEN '0' AND '10 days', 'now() and clock() say the same');
\unset business
\unset real
\set rate 1
\ir ../../sql/demo/fast_clock.sql
SELECT is((SELECT rate FROM followup.clock()), 1::double precision, 'it may be run again');
SELECT ok(followup.now() BETWEEN clock_timestamp() - '5 minutes'::interval AND clock_timestamp() + '5 minutes',
          'by default business time starts at the real one');
SELECT * FROM finish();
ROLLBACK;
