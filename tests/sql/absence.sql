-- An absence and what a person says of it: hold, release, and results that come in meanwhile.
BEGIN;
\ir support/rules_world.sql
SELECT plan(17);
CREATE FUNCTION t.away(p_lead bigint, p_until timestamptz) RETURNS void LANGUAGE sql AS $$
    SELECT followup.record_reply(1, NULL, 'lead@l.example', 'Re: hello', 'text', p_outcome => 'out_of_office', p_lead => p_lead, p_until => p_until) $$;

-- A hold that a person sets over an absence is the person's
SELECT t.started() AS l, t.started() AS k \gset
SELECT t.finish(:l) AS m \gset
SET test.now = '2026-03-03 08:00+00';
SELECT t.away(:l, '2026-03-16 08:00+00');
SELECT is(t.state(:l) || ' ' || t.due(:l), 'active/out_of_office 2026-03-17 08:00', 'away for 13 days: the message is due 13 days later');
SELECT is((SELECT due_at FROM followup.hold(1, ARRAY[:l]::bigint[], '2026-04-01 08:00+00')), '2026-04-01 08:00+00'::timestamptz, 'a person holds it for longer');
SELECT t.away(:l, '2026-03-09 08:00+00');
SELECT is(t.state(:l) || ' ' || t.due(:l), 'active/sequence 2026-04-01 08:00', 'another automatic answer does not end that');
SELECT is((SELECT hold_until FROM followup.conversation WHERE lead_id = :l), '2026-04-01 08:00+00'::timestamptz, 'nor shorten it');
SELECT t.away(:l, '2026-04-05 08:00+00');
SELECT is(t.state(:l) || ' ' || t.due(:l), 'active/out_of_office 2026-04-05 08:00', 'a longer absence holds for longer');
SELECT is((SELECT due_at FROM followup.hold(1, ARRAY[:l]::bigint[], '2026-03-03 20:00+00')), '2026-03-04 08:00+00'::timestamptz, 'a shorter hold of a person replaces it: at its own time');

-- Released: when it would have gone
SELECT followup.release(1, ARRAY[:l]::bigint[]) \g /dev/null
SELECT t.away(:l, '2026-03-16 08:00+00');
SELECT t.away(:l, '2026-03-23 08:00+00');
SELECT is(t.due(:l), '2026-03-24 08:00', 'away for longer than was said first');
SELECT is((SELECT due_at FROM followup.release(1, ARRAY[:l]::bigint[])), '2026-03-04 08:00+00'::timestamptz, 'released: at its own time');
SELECT is(t.state(:l), 'active/sequence', 'in its sequence again');
SELECT t.lead_in('active/follow_up') AS f \gset
SELECT t.due(:f) AS due \gset
SELECT t.away(:f, '2026-03-16 08:00+00');
SELECT isnt(t.due(:f), :'due', 'a follow-up that waits for somebody who is away');
SELECT followup.release(1, ARRAY[:f]::bigint[]) \g /dev/null
SELECT is(t.due(:f), :'due', 'the same');
-- An absence that is over was one
SELECT t.away(:l, '2026-03-10 08:00+00');
SET test.now = '2026-03-10 20:00+00';
SELECT followup.hold(1, ARRAY[:l]::bigint[], '2026-03-20 08:00+00') \g /dev/null
SELECT is((SELECT due_at FROM followup.release(1, ARRAY[:l]::bigint[])), '2026-03-11 08:00+00'::timestamptz, 'held and released after the return: what was left of the wait is left');
SET test.now = '2026-03-02 08:00+00';
SELECT t.finish(:k) AS m \gset
SET test.now = '2026-03-03 08:00+00';
SELECT t.away(:k, '2026-03-12 08:00+00');
SET test.now = '2026-03-06 08:00+00';
SELECT t.away(:k, '2026-03-05 08:00+00');
SELECT followup.hold(1, ARRAY[:k]::bigint[], '2026-03-20 08:00+00') \g /dev/null
SELECT is((SELECT due_at FROM followup.release(1, ARRAY[:k]::bigint[])), '2026-03-07 08:00+00'::timestamptz, 'told that they are back after three days: as well');

-- The answer comes before the result of the very message that it answers
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS m \gset
SELECT t.away(:l, '2026-03-16 08:00+00');
SELECT t.finish(:l) AS n \gset
SELECT is(t.state(:l) || ' ' || t.due(:l), 'active/out_of_office 2026-03-16 08:00', 'sent, and still away: nothing before the return');
SELECT t.away(:l, '2026-03-09 08:00+00');
SELECT is((SELECT hold_until FROM followup.conversation WHERE lead_id = :l), '2026-03-09 08:00+00'::timestamptz, 'and the last word of the absent counts');
SELECT t.finish(:l) AS n \gset
SELECT is(t.state(:l), 'active/sequence', 'written to again after the return');
SELECT is((SELECT string_agg(invariant, ' ') FROM followup.invariants(true) WHERE broken > 0 AND invariant <> 'sent_unproved'), NULL, 'no invariant is broken');
SELECT * FROM finish();
ROLLBACK;
