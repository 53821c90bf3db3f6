-- The schema, its roles and its words. Everything that follows is owned by followup_owner, who cannot log in.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'followup_owner') THEN
        CREATE ROLE followup_owner NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'followup_engine') THEN
        CREATE ROLE followup_engine NOLOGIN BYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'followup_app') THEN
        CREATE ROLE followup_app NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'followup_admin') THEN
        CREATE ROLE followup_admin NOLOGIN BYPASSRLS;
    END IF;
END
$$;
COMMENT ON ROLE followup_owner IS 'owns the schema followup; nobody logs in as it';
COMMENT ON ROLE followup_engine IS 'the daemon: calls the engine''s functions, reads every account, owns nothing';
COMMENT ON ROLE followup_app IS 'pages and API: sees the account named by followup.account (SET LOCAL), through row-level security';
COMMENT ON ROLE followup_admin IS 'operators in psql and followupctl: may act without an actor; logged as sql:<role>';

CREATE SCHEMA followup AUTHORIZATION followup_owner;
GRANT USAGE ON SCHEMA followup TO followup_engine, followup_app, followup_admin;
SET ROLE followup_owner;

CREATE TABLE followup.migration (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE followup.migration IS 'which files of sql/migrations this database has; the highest is its schema version';

CREATE TYPE followup.lead_state AS ENUM ('new', 'active', 'processed', 'stopped', 'unsubscribed', 'deactivated');
CREATE TYPE followup.lead_sub_state AS ENUM (
    'validating',                                -- of new
    'sequence', 'follow_up', 'out_of_office',    -- of active
    'responded', 'completed',                    -- of processed
    'failed',                                    -- of processed: a message could not be sent, a person decides
    'InvalidEmail', 'BounceRisk', 'ServerUnReachable', 'SpamTrap', 'Disposable', -- of deactivated: what validation said
    'BounceDeactivated', 'CannotDetermine',      -- of deactivated: what a bounce said
    'Retired', 'MovedOut', 'ReferredSomeone');   -- of deactivated: what a reply said
CREATE TYPE followup.lead_status AS ENUM (
    'hot_lead', 'lead_to_review', 'lead_at_risk', 'further_action', 'satisfied', 'disqualified', 'no_further_action');
CREATE TYPE followup.status_set AS ENUM ('current', 'older');
CREATE TYPE followup.conversation_state AS ENUM ('active', 'ended');
CREATE TYPE followup.ended_reason AS ENUM (
    'responded', 'completed', 'stopped', 'unsubscribed', 'deactivated', 'restarted', 'failed', 'suppressed');
CREATE TYPE followup.message_state AS ENUM (
    'scheduled', 'sending', 'in_doubt', 'sent', 'delivered', 'bounced', 'complained', 'failed', 'cancelled');
CREATE TYPE followup.message_kind AS ENUM ('sequence', 'follow_up', 'alert', 'webhook');
CREATE TYPE followup.step_kind AS ENUM ('sequence', 'follow_up');
CREATE TYPE followup.delay_unit AS ENUM ('elapsed', 'business_days');
CREATE TYPE followup.attempt_outcome AS ENUM ('sent', 'rejected', 'retry', 'in_doubt');
CREATE TYPE followup.in_doubt_policy AS ENUM ('hold', 'resend', 'assume_sent');
CREATE TYPE followup.late_action AS ENUM ('send', 'replan', 'hold');
CREATE TYPE followup.claim_verdict AS ENUM ('claimed', 'gone', 'moved', 'busy', 'not_ours');
CREATE TYPE followup.event_kind AS ENUM (
    'delivered', 'bounced', 'complained', 'failed', 'opened', 'clicked', 'unsubscribed');
CREATE TYPE followup.bulk_state AS ENUM ('planned', 'running', 'done', 'cancelled', 'undone');
CREATE TYPE followup.crm_operator AS ENUM ('equals', 'changes_to');
CREATE TYPE followup.crm_action AS ENUM ('stop', 'skip_to_follow_up', 'none');
CREATE TYPE followup.reply_applies AS ENUM ('any', 'before_follow_up', 'after_follow_up');

-- Why an action left a lead alone. One list for every action, so that counts can be added up.
CREATE TYPE followup.skip_reason AS ENUM (
    'not_found', 'inactive', 'never_started', 'already_active', 'already_started', 'already_follow_up', 'stopped',
    'unsubscribed', 'deactivated', 'suppressed', 'no_more_messages', 'no_follow_up_message', 'no_steps',
    'no_assistant', 'not_permitted', 'not_own_lead', 'disqualified', 'in_flight', 'validating', 'not_scheduled',
    'past_instant', 'held', 'not_held', 'note_required', 'bounce_rate');
COMMENT ON TYPE followup.skip_reason IS 'why an action left a lead as it was; each value is documented in docs/architecture.md';

CREATE TYPE followup.action_result AS (
    lead_id    bigint,
    done       boolean,
    reason     followup.skip_reason,    -- NULL when done
    sub_state  followup.lead_sub_state, -- beside a reason that has one
    message_id bigint,                  -- what the action scheduled, if it did
    due_at     timestamptz,             -- business time
    in_flight  bigint[]);               -- messages that had left for the provider already: they cannot be called back
COMMENT ON TYPE followup.action_result IS 'one row a lead, of every action';
RESET ROLE;
