-- What may not be true of a message, whatever anybody does: one row for each thing that is. Read by invariants().
CREATE OR REPLACE VIEW followup.wrong_message AS
SELECT m.account_id, m.id, m.queued, m.pending, b.invariant
  FROM followup.message AS m
  CROSS JOIN followup.clock() AS k
  LEFT JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
  LEFT JOIN followup.lease AS e ON e.shard = m.shard AND e.expires_at > pg_catalog.clock_timestamp()
 CROSS JOIN LATERAL (VALUES
     ('begun_after_stop', m.claim_seq > c.stop_seq),
     ('pending_after_end', m.pending AND NOT m.detached AND c.state = 'ended'),
     ('of_another_lead', c.lead_id <> m.lead_id),
     ('sent_early', m.sent_at < m.due_at),
     ('overdue', m.state = 'scheduled' AND m.due_at < k.business - '15 minutes'::interval * k.rate AND e.shard IS NOT NULL
                 AND EXISTS (SELECT FROM followup.message_to_load AS l WHERE l.account_id = m.account_id AND l.id = m.id
                                AND l.shard = m.shard)),
     ('abandoned', m.state = 'sending' AND m.claimed_at < pg_catalog.clock_timestamp() - '2 minutes'::interval
                   AND e.shard IS NOT NULL),
     -- Under the policy resend the same message may be sent twice, by the customer's choice.
     ('sent_twice', m.attempts > 1 AND (SELECT a.in_doubt_policy FROM followup.account AS a WHERE a.id = m.account_id) <> 'resend'
                    AND (SELECT count(DISTINCT t.no) > 1 FROM followup.attempt AS t
                          WHERE t.account_id = m.account_id AND t.message_id = m.id AND t.outcome = 'sent')),
     -- A webhook, a person or the account's policy may know what no answer said; detail then says so. Events are not kept for
     -- ever; one may have come for the five days in which inbox_next_try looks for its message.
     ('sent_unproved', m.state IN ('sent', 'delivered') AND m.detail IS NULL
                       AND (k.business - m.finished_at) / k.rate < (SELECT r.keep FROM followup.retention AS r WHERE r.what = 'provider_event') - '6 days'::interval
                       AND NOT EXISTS (SELECT FROM followup.attempt AS t WHERE t.account_id = m.account_id
                                          AND t.message_id = m.id AND t.outcome = 'sent')
                       AND NOT EXISTS (SELECT FROM followup.provider_event AS v
                                        WHERE v.account_id = m.account_id AND v.message_id = m.id))
 ) AS b(invariant, is_broken)
 WHERE b.is_broken;
COMMENT ON VIEW followup.wrong_message IS
    'For invariants() and whoever looks into what it found: a row for each invariant that a message breaks. Ask with queued or pending, or by id: the whole table is read otherwise.';
