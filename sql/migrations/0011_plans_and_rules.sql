-- What a message was planned from, so that it can be planned again when a zone, a window or a holiday changes; and what the
-- CRM rules hand to one another.
SET ROLE followup_owner;

ALTER TABLE followup.message
    ADD COLUMN base_at timestamptz,
    ADD COLUMN delay interval NOT NULL DEFAULT '0',
    ADD COLUMN delay_unit followup.delay_unit NOT NULL DEFAULT 'elapsed',
    ADD COLUMN plan_seed bigint,
    ADD COLUMN exact boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN followup.message.plan_seed IS 'of its jitter; NULL: the conversation';
COMMENT ON COLUMN followup.message.exact IS 'at an instant that was asked for, without jitter';
COMMENT ON COLUMN followup.message.base_at IS 'the instant from which delay counts; with them a due time is planned again. NULL: from due_at';
COMMENT ON COLUMN followup.message.delay IS 'the step''s delay as it was when this message was planned';

ALTER TYPE followup.lead_plan ADD ATTRIBUTE base_at timestamptz;

-- They have another parameter now.
DROP FUNCTION IF EXISTS followup.continue_follow_up(bigint, bigint[], timestamptz, bigint, text);
DROP FUNCTION IF EXISTS followup.restart_follow_up(bigint, bigint[], timestamptz, bigint, bigint, bigint, text);
DROP FUNCTION IF EXISTS followup.open_conversations(bigint, bigint[], followup.lead_action, bigint, bigint, timestamptz, followup.actor, text);
DROP FUNCTION IF EXISTS followup.read_leads(bigint, bigint[], followup.lead_action, followup.actor);
DROP FUNCTION IF EXISTS followup.continuations(bigint, bigint[], timestamptz, timestamptz, followup.actor);
DROP FUNCTION IF EXISTS followup.first_steps(bigint, bigint[], followup.lead_action, bigint, bigint, timestamptz, timestamptz, followup.actor);

CREATE TYPE followup.crm_change AS (
    lead_id   bigint,
    source    text,
    field     text,
    old       text,
    new       text,
    rule      text,                  -- "HigherGear 9 Delivery"; NULL: no rule
    action    followup.crm_action);
COMMENT ON TYPE followup.crm_change IS 'a value that another system wrote, and the rule that is for it';

ALTER TABLE followup.crm_event ADD COLUMN action followup.crm_action;
COMMENT ON COLUMN followup.crm_event.action IS 'what the rule said then; NULL: there was no rule';
-- A status of another system may be written many times a day; replay reads them by time.
CREATE INDEX crm_event_at ON followup.crm_event (account_id, at);
RESET ROLE;
