-- The inbox of webhooks: stored as they come, applied afterwards, oldest first, by any number of callers at once.
SET ROLE followup_owner;

ALTER TYPE followup.event_kind ADD VALUE IF NOT EXISTS 'accepted';
ALTER TYPE followup.event_kind ADD VALUE IF NOT EXISTS 'delayed';
ALTER TYPE followup.event_kind ADD VALUE IF NOT EXISTS 'replied';

ALTER TABLE followup.provider_event
    ALTER COLUMN occurred_at DROP NOT NULL,
    ADD COLUMN next_try_at timestamptz,
    ADD COLUMN attempts    integer NOT NULL DEFAULT 0,
    ADD COLUMN error       text;
COMMENT ON COLUMN followup.provider_event.provider IS 'NAME of the [webhook.NAME] that brought it; of record_event: what its caller names';
COMMENT ON COLUMN followup.provider_event.occurred_at IS 'real time, by the provider''s clock; NULL: not read yet, or it says none';
COMMENT ON COLUMN followup.provider_event.applied_at IS 'real time at which it took effect; NULL: not yet, or it is of no message of ours';
COMMENT ON COLUMN followup.provider_event.next_try_at IS 'real time at which apply_inbox takes it up; NULL: applied, or given up (error says why)';
COMMENT ON COLUMN followup.provider_event.attempts IS 'how often apply_inbox took it up in vain';
COMMENT ON COLUMN followup.provider_event.error IS 'why the last try came to nothing';
CREATE INDEX provider_event_waiting ON followup.provider_event (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX provider_event_failed ON followup.provider_event (account_id) WHERE applied_at IS NULL AND error IS NOT NULL;
-- An event that is stored has no message yet: this index costs nothing then.
DROP INDEX followup.provider_event_message;
CREATE INDEX provider_event_message ON followup.provider_event (account_id, message_id) WHERE message_id IS NOT NULL;

CREATE TABLE followup.webhook_token (
    account_id bigint NOT NULL,
    source     text NOT NULL,
    token      text NOT NULL,
    digest     bytea NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, source, token)
);
COMMENT ON TABLE followup.webhook_token IS
    'tokens that a signature may use once (Mailgun''s does not cover the event); digest: SHA-256 of the events that came with it, so that the provider''s own repetition is known from somebody else''s. Kept for 7 days: a signed timestamp that is older is refused before';
CREATE INDEX webhook_token_seen ON followup.webhook_token (seen_at);

-- /u/{token} names no account.
DROP INDEX followup.lead_unsubscribe_token;
CREATE UNIQUE INDEX lead_unsubscribe_token ON followup.lead (unsubscribe_token, account_id);

CREATE TABLE followup.unsubscribe_hit (
    account_id    bigint NOT NULL,
    lead_id       bigint NOT NULL,
    gets          integer NOT NULL DEFAULT 0,
    posts         integer NOT NULL DEFAULT 0,
    scanner_gets  integer NOT NULL DEFAULT 0,
    scanner_posts integer NOT NULL DEFAULT 0,
    last_at       timestamptz NOT NULL,
    PRIMARY KEY (account_id, lead_id),
    FOREIGN KEY (account_id, lead_id) REFERENCES followup.lead ON DELETE CASCADE
) WITH (fillfactor = 50);
COMMENT ON TABLE followup.unsubscribe_hit IS
    'how often a lead''s unsubscribe link was called; apart: by what looks like a scanner (scanner_agent, or within seconds of delivery). A POST acts all the same';

CREATE TABLE followup.scanner_agent (
    pattern text PRIMARY KEY CHECK (pattern = lower(pattern) AND pattern <> '')
);
COMMENT ON TABLE followup.scanner_agent IS 'occurs in the User-Agent, in lower case, of what follows links for no person';

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['webhook_token', 'unsubscribe_hit'] LOOP
        EXECUTE format('ALTER TABLE followup.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY account ON followup.%I TO followup_app '
                       'USING (account_id = current_setting(''followup.account'')::bigint)', t);
        EXECUTE format('CREATE POLICY every_account ON followup.%I TO followup_admin, followup_engine USING (true)', t);
    END LOOP;
END
$$;
GRANT SELECT ON followup.webhook_token TO followup_engine, followup_admin;
GRANT SELECT ON followup.unsubscribe_hit, followup.scanner_agent TO followup_engine, followup_app, followup_admin;
GRANT INSERT, UPDATE, DELETE ON followup.scanner_agent TO followup_admin;
RESET ROLE;
