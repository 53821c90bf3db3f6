-- A message with all that a claim judges and all that rendering needs. One row a message; each table is reached by its
-- primary key, so a batch of n costs n times a few index look-ups and nothing that grows with the tables. (OFFSET 0: a
-- look-up, where the planner may otherwise read and hash all suppressions once a batch.)
CREATE OR REPLACE VIEW followup.message_to_claim WITH (security_invoker = true) AS
SELECT m.account_id, m.id, m.ctid AS place, m.conversation_id, m.lead_id, m.detached, m.forced,
       c.state AS conversation_state, c.hold_until,
       a.late_after, a.late_action, l.timezone AS lead_timezone, a.timezone AS account_timezone, l.country,
       -- Mostly no account waits for a suppression list: that is asked once a query.
       coalesce(a.paused_at, s.paused_at, q.paused_at) IS NOT NULL
       OR EXISTS (SELECT FROM followup.list_pull AS w WHERE w.ended_at IS NULL)
          AND EXISTS (SELECT FROM followup.list_pull AS w WHERE w.account_id = m.account_id AND w.ended_at IS NULL OFFSET 0) AS paused,
       l.email IS NOT NULL AND EXISTS (
           SELECT FROM followup.suppression AS x
            WHERE x.account_id = m.account_id AND x.address = pg_catalog.lower(l.email) OFFSET 0) AS suppressed,
       coalesce(s.provider, a.provider) AS provider,
       CASE WHEN m.conversation_id IS NULL THEN m.recipient ELSE l.email END AS recipient,
       s.name AS from_name, s.from_address,
       CASE WHEN s.reply_domain IS NOT NULL
            THEN 'r-' || k.token || '@' || s.reply_domain END AS reply_to,
       CASE WHEN st.subject IS NOT NULL THEN st.subject
            WHEN m.kind = 'follow_up' THEN a.feedback_subject END AS subject,
       CASE WHEN st.subject IS NOT NULL THEN st.body_text
            WHEN m.kind = 'follow_up' THEN a.feedback_body_text END AS body_text,
       CASE WHEN st.subject IS NOT NULL THEN st.body_html
            WHEN m.kind = 'follow_up' THEN a.feedback_body_html END AS body_html,
       l.fields, l.first_name, l.last_name, l.company, l.email, s.title AS assistant_title, s.signature AS assistant_signature,
       r.name AS rep_name, r.email AS rep_email, r.phone AS rep_phone,
       CASE WHEN l.id IS NOT NULL THEN a.postal_address END AS postal_address,
       coalesce(m.rfc_message_id, '<fu-' || k.token || '@'
           || pg_catalog.split_part(s.from_address, '@', 2) || '>') AS rfc_message_id,
       t.ids[1] AS in_reply_to,
       CASE WHEN t.ids IS NOT NULL
            THEN (SELECT pg_catalog.string_agg(x.id, ' ' ORDER BY x.ord DESC)
                    FROM unnest(t.ids) WITH ORDINALITY AS x(id, ord)) END AS refs,
       l.unsubscribe_token, a.has_calendar
  FROM followup.message AS m
  JOIN followup.account AS a ON a.id = m.account_id + 0   -- not inferred from who asks: see claim_messages
  LEFT JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
  LEFT JOIN followup.assistant AS s ON s.account_id = c.account_id AND s.id = c.assistant_id
  LEFT JOIN followup.sequence AS q ON q.account_id = c.account_id AND q.id = c.sequence_id
  LEFT JOIN followup.step AS st
    ON st.account_id = c.account_id AND st.sequence_id = c.sequence_id AND st.version = m.version
   AND st.kind = CASE m.kind WHEN 'sequence' THEN 'sequence'::followup.step_kind
                             WHEN 'follow_up' THEN 'follow_up'::followup.step_kind END
   AND st.position = m.position
  LEFT JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
  -- Signed, so that whoever names one of the two has had this mail. (OFFSET 0: one signature for both.)
 CROSS JOIN LATERAL (SELECT followup.reply_token(m.account_id, m.id,
                                (SELECT x.inner_key FROM followup.reply_key AS x ORDER BY x.id DESC LIMIT 1),
                                (SELECT x.outer_key FROM followup.reply_key AS x ORDER BY x.id DESC LIMIT 1)) AS token OFFSET 0) AS k
  LEFT JOIN followup.app_user AS r ON r.account_id = l.account_id AND r.id = l.rep_id
  -- What the conversation sent before, newest first. A sequence's first message has nothing before it, and does not look: in
  -- a CASE, because a join would set up its sort for each message all the same. (OFFSET 0: one look for both that need it.)
 CROSS JOIN LATERAL (
      SELECT CASE WHEN m.kind = 'follow_up' OR m.position > 1
                  THEN (SELECT pg_catalog.array_agg(e.rfc_message_id ORDER BY e.sent_at DESC, e.id DESC)
                          FROM (SELECT b.rfc_message_id, b.sent_at, b.id
                                  FROM followup.message AS b
                                 WHERE b.account_id = m.account_id AND b.conversation_id = m.conversation_id
                                   AND b.id <> m.id AND b.sent_at IS NOT NULL AND b.rfc_message_id IS NOT NULL
                                 ORDER BY b.sent_at DESC, b.id DESC
                                 LIMIT 10) AS e) END AS ids OFFSET 0) AS t;
COMMENT ON VIEW followup.message_to_claim IS
    'For the engine''s functions only: a message with what its claim judges (conversation, pause, suppression, lateness) and what rendering needs. refs: at most the ten last messages of the conversation.';
