-- What planning anew and undoing need to know of a message, in columns: until then part of it was read from a text, and part of it
-- was not known.
SET ROLE followup_owner;

ALTER TABLE followup.message
    ADD COLUMN not_before  timestamptz,
    ADD COLUMN stood_still interval;
COMMENT ON COLUMN followup.message.not_before IS 'planned anew not before this either: the wait after a try, its turn after a pause';
COMMENT ON COLUMN followup.message.stood_still IS 'of an absence that goes on: by how much base_at was moved for it; a release takes that back';
COMMENT ON COLUMN followup.message.base_at IS
    'the instant from which delay counts; with them a due time is planned again. NULL: from due_at. infinity: a person says when (late_action hold, or a due time of infinity written by hand)';
COMMENT ON COLUMN followup.message.exact IS 'at an instant that a person asked for, without jitter';

ALTER TABLE followup.cap_use ADD COLUMN gone integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN followup.cap_use.gone IS 'of used: places of messages that may have left, and were deleted since';

-- By the loader's index: what late_action held says so by its base, and a try under way keeps its wait (an hour at most).
UPDATE followup.message AS m SET base_at = 'infinity', delay = '0', delay_unit = 'elapsed'
 WHERE m.shard = ANY (ARRAY(SELECT pg_catalog.generate_series(0, 63))) AND m.queued AND m.due_at = 'infinity'
   AND m.state = 'scheduled' AND m.planned_reason LIKE 'held: %';
UPDATE followup.message AS m SET not_before = m.due_at
 WHERE m.shard = ANY (ARRAY(SELECT pg_catalog.generate_series(0, 63))) AND m.queued AND m.due_at < pg_catalog.clock_timestamp() + '1 hour'::interval
   AND m.state = 'scheduled' AND m.attempts > 0;

-- Nobody reads it: what comes next is asked of the message before. It cost each message that has a next one a write.
ALTER TABLE followup.conversation DROP COLUMN next_position;
ALTER TYPE followup.bulk_lead DROP ATTRIBUTE next_position;

-- message_deleted does it, a statement at a time.
DROP TRIGGER IF EXISTS message_cap_delete ON followup.message;
RESET ROLE;
