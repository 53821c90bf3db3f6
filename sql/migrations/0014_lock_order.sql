-- One order of locks for whoever writes: what an account has set (an assistant, a sequence, windows, holidays), account, lead,
-- conversation, message, and last the places under daily caps. Those were locked by the assistant's own row, which a write of
-- its cap or of its pause locks first: two orders, and a deadlock with every action that came meanwhile.
SET ROLE followup_owner;

CREATE TABLE followup.cap_lock (
    account_id bigint PRIMARY KEY REFERENCES followup.account ON DELETE CASCADE
);
COMMENT ON TABLE followup.cap_lock IS
    'the lock on all of an account''s cap_use (lock_caps): a row once an assistant of it has had a daily cap or a ramp, kept for good';
INSERT INTO followup.cap_lock
SELECT s.account_id FROM followup.assistant AS s WHERE s.daily_cap IS NOT NULL OR s.ramp IS NOT NULL
UNION
SELECT u.account_id FROM followup.cap_use AS u;
ALTER TABLE followup.cap_lock ENABLE ROW LEVEL SECURITY;
CREATE POLICY account ON followup.cap_lock TO followup_app
    USING (account_id = current_setting('followup.account')::bigint);
CREATE POLICY every_account ON followup.cap_lock TO followup_admin, followup_engine USING (true);
GRANT SELECT ON followup.cap_lock TO followup_engine, followup_app, followup_admin;

-- A statement that writes several rows locks all that it needs of one kind before the next kind: a trigger a statement.
DROP TRIGGER IF EXISTS account_pause_written ON followup.account;
DROP TRIGGER IF EXISTS assistant_pause_written ON followup.assistant;
DROP TRIGGER IF EXISTS sequence_pause_written ON followup.sequence;
DROP TRIGGER IF EXISTS replan ON followup.account;
DROP TRIGGER IF EXISTS replan ON followup.assistant;
DROP TRIGGER IF EXISTS replan_inserted ON followup.send_window;
DROP TRIGGER IF EXISTS replan_updated ON followup.send_window;
DROP TRIGGER IF EXISTS replan_deleted ON followup.send_window;
DROP TRIGGER IF EXISTS replan_inserted ON followup.holiday;
DROP TRIGGER IF EXISTS replan_updated ON followup.holiday;
DROP TRIGGER IF EXISTS replan_updated_from ON followup.holiday;
DROP TRIGGER IF EXISTS replan_deleted ON followup.holiday;
DROP FUNCTION IF EXISTS followup.pause_written();
DROP FUNCTION IF EXISTS followup.cap_written();
DROP FUNCTION IF EXISTS followup.account_zone_written();
DROP FUNCTION IF EXISTS followup.calendar_replanned();
DROP FUNCTION IF EXISTS followup.replan_account(bigint, text, bigint, text);
DROP FUNCTION IF EXISTS followup.lock_scheduled(bigint, bigint[], bigint, text);
RESET ROLE;
