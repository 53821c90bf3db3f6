-- What the action functions hand to one another, and the zones that this server knows.
SET ROLE followup_owner;

CREATE TYPE followup.lead_action AS ENUM ('start', 'skip', 'stop', 'continue', 'restart');

CREATE TYPE followup.actor AS (
    name         text,      -- user:<id> | sql:<role> | what acted by itself; goes into activity
    shown        text,      -- as the Conversation Status names it
    permitted    boolean,
    own_leads_of bigint);   -- only leads of this representative; NULL: all
COMMENT ON TYPE followup.actor IS 'who acts, and how far the permission for this action goes';

CREATE TYPE followup.lead_plan AS (
    lead_id         bigint,
    reason          followup.skip_reason,   -- NULL: the action may go on
    state           followup.lead_state,
    sub_state       followup.lead_sub_state,
    timezone        text,                   -- resolved: a zone that the server knows
    country         text,
    conversation_id bigint,                 -- the active one, else the last
    active          boolean,                -- that conversation is active
    hold_until      timestamptz,
    sequence_id     bigint,
    version         integer,
    assistant_id    bigint,
    kind            followup.message_kind,  -- what to schedule
    step_position   integer,
    step_key        text,
    due_at          timestamptz);
COMMENT ON TYPE followup.lead_plan IS 'one lead on its way through an action: what was read, then what is to be written';

CREATE TABLE followup.timezone (
    key  text PRIMARY KEY CHECK (key = lower(key)),     -- as people write it, in lower case
    name text NOT NULL                                  -- as AT TIME ZONE takes it
);
COMMENT ON TABLE followup.timezone IS
    'IANA zones of this server, from pg_timezone_names (which reads some 1,200 files a call); AT TIME ZONE alone would also take "GMT+2", with the sign of POSIX';
GRANT SELECT ON followup.timezone TO followup_engine, followup_app, followup_admin;
RESET ROLE;
