-- A sweep goes through the queue page by page: with account and id in the index a page begins where the one before ended, however
-- many messages are due at the same instant (100,000 of a campaign: each page read and sorted all of them).
DROP INDEX followup.message_queue;
SET ROLE followup_owner;
CREATE INDEX message_queue ON followup.message (shard, due_at, account_id, id) WHERE queued;
RESET ROLE;
