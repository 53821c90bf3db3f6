-- The body is written with the attempt that sent it: a row less, and a key less, for every message.
CREATE OR REPLACE VIEW followup.message_body WITH (security_invoker = true) AS
SELECT DISTINCT ON (t.account_id, t.message_id) t.account_id, t.message_id, t.subject, t.text, t.html
  FROM followup.attempt AS t
 WHERE t.subject IS NOT NULL OR t.text IS NOT NULL
 ORDER BY t.account_id, t.message_id, t.no, t.post;
COMMENT ON VIEW followup.message_body IS 'a message as it left; kept for as long as its lead';
GRANT SELECT ON followup.message_body TO followup_engine, followup_app, followup_admin;
