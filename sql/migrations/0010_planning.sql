-- What planning an instant needs beyond windows and delays: jitter, a way to the holidays of a date, places under a daily cap.
SET ROLE followup_owner;

ALTER TABLE followup.account
    ADD COLUMN jitter_max interval NOT NULL DEFAULT '0' CHECK (jitter_max BETWEEN '0' AND '24 hours');
COMMENT ON COLUMN followup.account.jitter_max IS
    'a message leaves up to this much later than its delay says; how much is derived from ids, so that asking twice gives the same answer';

-- Most accounts have no calendar of their own, and each planned and each claimed message asks.
ALTER TABLE followup.account ADD COLUMN has_calendar boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN followup.account.has_calendar IS 'kept by triggers: it has send windows or holidays of its own';
UPDATE followup.account AS a
   SET has_calendar = EXISTS (SELECT FROM followup.send_window AS w WHERE w.account_id = a.id)
                   OR EXISTS (SELECT FROM followup.holiday AS h WHERE h.account_id = a.id);
-- So that a lead of no country in an account without a calendar needs no look at the holidays.
ALTER TABLE followup.holiday ADD CONSTRAINT holiday_of_somebody CHECK (account_id IS NOT NULL OR country IS NOT NULL);
CREATE INDEX holiday_account ON followup.holiday (account_id) WHERE account_id IS NOT NULL;

CREATE INDEX holiday_date ON followup.holiday (date);

ALTER TABLE followup.message
    ADD COLUMN cap_assistant_id bigint,
    ADD COLUMN cap_day          date,
    ADD COLUMN cap_moved_from   timestamptz;
COMMENT ON COLUMN followup.message.cap_assistant_id IS 'whose daily cap it is under; NULL: nobody''s. Writing it, or due_at, takes a place in cap_use and may move due_at';
COMMENT ON COLUMN followup.message.cap_day IS 'the day, in the account''s zone, of its place in cap_use; kept when the place was given back (cancelled, failed)';
COMMENT ON COLUMN followup.message.cap_moved_from IS 'the instant it was planned for before the cap moved it; NULL: the cap did not';

-- Hardly any assistant has a cap; the engine asks for them once a batch.
CREATE INDEX assistant_capped ON followup.assistant (account_id, id) WHERE daily_cap IS NOT NULL OR ramp IS NOT NULL;
-- It asks for the country too now.
DROP FUNCTION IF EXISTS followup.window_open(bigint, text, text, timestamptz);
RESET ROLE;
