-- What a sent message costs (bench/sql/send_path.py): a row for what a POST came to and what left with it, and room for an
-- update beside the row.
SET ROLE followup_owner;

-- The body is a column of the attempt that sent it. A view of the name reads it as before.
ALTER TABLE followup.attempt ADD COLUMN subject text, ADD COLUMN text text, ADD COLUMN html text;
COMMENT ON COLUMN followup.attempt.subject IS 'as it left; with text and html; only of what was sent';
UPDATE followup.attempt AS t
   SET subject = b.subject, text = b.text, html = b.html
  FROM followup.message_body AS b
 WHERE t.account_id = b.account_id AND t.message_id = b.message_id
   AND (t.no, t.post) = (SELECT x.no, x.post FROM followup.attempt AS x
                          WHERE x.account_id = b.account_id AND x.message_id = b.message_id AND x.outcome = 'sent'
                          ORDER BY x.no, x.post LIMIT 1);
DROP VIEW IF EXISTS followup.lead_timeline;     -- it reads the table; sql/views makes it anew
DROP TABLE followup.message_body;

-- record_results alone writes attempts, under the lock of the message's row: nothing is left for a foreign key to find.
-- Trigger attempt_of_message does what its ON DELETE CASCADE did.
ALTER TABLE followup.attempt DROP CONSTRAINT attempt_account_id_message_id_fkey;

-- A lead's state is in no index: with room on its page it changes without touching the four indexes.
ALTER TABLE followup.lead SET (fillfactor = 60);
RESET ROLE;
