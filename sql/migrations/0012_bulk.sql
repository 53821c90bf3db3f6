-- Bulk: what was planned is frozen in chunks, each done in a transaction of its own, with what an undo needs to know.
SET ROLE followup_owner;

ALTER TYPE followup.bulk_state ADD VALUE 'undoing' BEFORE 'undone';
ALTER TYPE followup.ended_reason ADD VALUE 'undone';
COMMENT ON COLUMN followup.conversation.started_at IS 'business time; -infinity: undone before anything was sent, so that it never is a lead''s last one';

CREATE TYPE followup.bulk_lead AS (
    lead_id         bigint,
    state           followup.lead_state,
    sub_state       followup.lead_sub_state,
    sequence_id     bigint,
    assistant_id    bigint,
    conversation_id bigint,                 -- the active one, else the last
    active          boolean,                -- that conversation was active
    version         integer,
    next_position   integer,
    hold_until      timestamptz,
    ended_reason    followup.ended_reason,
    ended_by        text,
    ended_at        timestamptz,
    message_id      bigint,                 -- what was scheduled in it
    new_message_id  bigint);                -- what the bulk scheduled instead
COMMENT ON TYPE followup.bulk_lead IS 'a lead as it was before a bulk changed it, and the message that the bulk scheduled';

CREATE TYPE followup.bulk_outcome AS (
    lead_id bigint,
    done    boolean,
    reason  text,               -- a skip_reason, with /sub_state beside one that has one; sent | changed of an undo; error
    error   text,               -- of the reason error: what was raised
    before  followup.bulk_lead);
COMMENT ON TYPE followup.bulk_outcome IS 'what became of one lead of a chunk';

ALTER TABLE followup.bulk
    DROP COLUMN lead_ids,
    DROP COLUMN next_lead,
    ADD COLUMN sequence_id  bigint,
    ADD COLUMN assistant_id bigint,
    ADD COLUMN at           timestamptz,
    ADD COLUMN disqualified boolean NOT NULL DEFAULT false,
    ADD COLUMN acting       followup.actor,
    ADD COLUMN undoing      followup.actor,
    ADD COLUMN undo_note    text,
    ADD COLUMN worked_at    timestamptz,
    ADD COLUMN finished_at  timestamptz,
    ADD CHECK (action IN ('start', 'skip', 'stop', 'continue', 'restart'));
COMMENT ON TABLE followup.bulk IS 'an action on many leads: planned, committed with the number of leads that the plan named, then done chunk by chunk';
COMMENT ON COLUMN followup.bulk.plan IS '{"leads": that the filter meant, "done": that would be done, "left_alone": {reason: leads}}';
COMMENT ON COLUMN followup.bulk.at IS 'p_at of the action, business time';
COMMENT ON COLUMN followup.bulk.run_at IS 'not before this instant, business time; NULL: at once';
COMMENT ON COLUMN followup.bulk.acting IS 'whose rights it has: those of whoever planned it, at that time';
COMMENT ON COLUMN followup.bulk.worked_at IS 'real time of the last chunk; bulks take turns';
CREATE INDEX bulk_to_do ON followup.bulk (worked_at) WHERE state NOT IN ('planned', 'done', 'cancelled', 'undone');

CREATE TABLE followup.bulk_chunk (
    account_id bigint NOT NULL,
    bulk_id    bigint NOT NULL,
    no         integer NOT NULL,
    lead_ids   bigint[] NOT NULL,
    ran_at     timestamptz,
    done       integer,
    left_alone jsonb,
    errors     jsonb,
    before     followup.bulk_lead[],
    undone_at  timestamptz,
    undone     integer,
    kept       jsonb,
    PRIMARY KEY (account_id, bulk_id, no),
    FOREIGN KEY (account_id, bulk_id) REFERENCES followup.bulk ON DELETE CASCADE
);
COMMENT ON TABLE followup.bulk_chunk IS 'the leads of a bulk, ascending, at most 10,000 a row: one transaction each';
COMMENT ON COLUMN followup.bulk_chunk.ran_at IS 'real time; NULL: not done yet';
COMMENT ON COLUMN followup.bulk_chunk.left_alone IS '{reason: leads} of those that changed since the plan';
COMMENT ON COLUMN followup.bulk_chunk.errors IS '[{"lead_id", "error"}] of leads for which the action raised';
COMMENT ON COLUMN followup.bulk_chunk.before IS 'the leads that were done, as they were';
COMMENT ON COLUMN followup.bulk_chunk.kept IS '{reason: leads} that an undo left as they are';

ALTER TABLE followup.bulk_chunk ENABLE ROW LEVEL SECURITY;
CREATE POLICY account ON followup.bulk_chunk TO followup_app
    USING (account_id = current_setting('followup.account')::bigint);
CREATE POLICY every_account ON followup.bulk_chunk TO followup_admin, followup_engine USING (true);
GRANT SELECT ON followup.bulk_chunk TO followup_engine, followup_app, followup_admin;
GRANT INSERT, UPDATE, DELETE ON followup.bulk_chunk TO followup_admin;
RESET ROLE;
