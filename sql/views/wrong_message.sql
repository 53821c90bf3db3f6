-- What may not be true of a message, whatever anybody does: one row for each thing that is. Read by invariants(). All is asked of a
-- row in one expression, so that a row that breaks nothing costs no row; what looks elsewhere stands last in its condition.
-- No volatile function stands in that expression: the planner would not see the caller's condition through it, and read everything.
CREATE OR REPLACE VIEW followup.wrong_message AS
SELECT w.account_id, w.id, w.queued, w.pending, b.invariant
  FROM (SELECT m.account_id, m.id, m.queued, m.pending, pg_catalog.concat_ws(' ',
     CASE WHEN m.claim_seq > c.stop_seq THEN 'begun_after_stop' END,
     CASE WHEN m.pending AND NOT m.detached AND c.state = 'ended' THEN 'pending_after_end' END,
     CASE WHEN c.lead_id <> m.lead_id THEN 'of_another_lead' END,
     CASE WHEN m.sent_at < m.due_at THEN 'sent_early' END,
     CASE WHEN m.state = 'scheduled' AND m.due_at < k.business - '15 minutes'::interval * k.rate
               AND EXISTS (SELECT FROM followup.lease AS e WHERE e.shard = m.shard AND e.expires_at > r.at)
               AND EXISTS (SELECT FROM followup.message_to_load AS l
                            WHERE l.account_id = m.account_id AND l.id = m.id AND l.shard = m.shard) THEN 'overdue' END,
     -- As replan_messages would plan it. What waits for a person has no base either.
     CASE WHEN m.state = 'scheduled' AND m.due_at = 'infinity' AND m.base_at < 'infinity' AND m.cap_moved_from IS NULL
               AND c.hold_until IS DISTINCT FROM 'infinity'
               AND EXISTS (SELECT FROM followup.lead AS l
                             JOIN followup.account AS a ON a.id = l.account_id
                            WHERE l.account_id = m.account_id AND l.id = m.lead_id
                              AND followup.plan_at(m.account_id, followup.lead_timezone(l.timezone, a.timezone), l.country, m.base_at, m.delay,
                                                   m.delay_unit, k.business, coalesce(m.plan_seed, c.id)) < 'infinity') THEN 'never_due' END,
     CASE WHEN m.state = 'sending' AND m.claimed_at < r.at - '2 minutes'::interval
               AND EXISTS (SELECT FROM followup.lease AS e WHERE e.shard = m.shard AND e.expires_at > r.at)
          THEN 'abandoned' END,
     -- Under the policy resend the same message may be sent twice, by the customer's choice.
     CASE WHEN m.attempts > 1 AND (SELECT a.in_doubt_policy FROM followup.account AS a WHERE a.id = m.account_id) <> 'resend'
               AND (SELECT count(DISTINCT t.no) > 1 FROM followup.attempt AS t
                     WHERE t.account_id = m.account_id AND t.message_id = m.id AND t.outcome = 'sent') THEN 'sent_twice' END,
     -- A webhook, a person or the account's policy may know what no answer said; detail then says so. Events are not kept for
     -- ever; one may have come for the five days in which inbox_next_try looks for its message.
     CASE WHEN m.state IN ('sent', 'delivered') AND m.detail IS NULL
               AND (k.business - m.finished_at) / k.rate < (SELECT n.keep FROM followup.retention AS n WHERE n.what = 'provider_event') - '6 days'::interval
               AND NOT EXISTS (SELECT FROM followup.attempt AS t WHERE t.account_id = m.account_id
                                  AND t.message_id = m.id AND t.outcome = 'sent')
               AND NOT EXISTS (SELECT FROM followup.provider_event AS v
                                WHERE v.account_id = m.account_id AND v.message_id = m.id) THEN 'sent_unproved' END) AS broken
          FROM followup.message AS m
         CROSS JOIN followup.clock() AS k
         CROSS JOIN (SELECT pg_catalog.clock_timestamp() AS at) AS r
          LEFT JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id) AS w
 CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.string_to_array(w.broken, ' ')) AS b (invariant)
 WHERE w.broken <> '';
COMMENT ON VIEW followup.wrong_message IS
    'For invariants() and whoever looks into what it found: a row for each invariant that a message breaks. Ask with queued or pending, or by id: the whole table is read otherwise.';
