-- After a time without a daemon that was longer than a provider repeats its webhooks, its suppression list is pulled before
-- anything is claimed.
SET ROLE followup_owner;

CREATE TABLE followup.suppression_list (
    provider_type text PRIMARY KEY,
    waits         interval NOT NULL CHECK (waits >= '0')
);
COMMENT ON TABLE followup.suppression_list IS
    'providers whose suppression list is pulled when their webhooks were missed for longer than webhook_retry says (kinds all)';
COMMENT ON COLUMN followup.suppression_list.waits IS
    'for how long (real) an account''s messages wait for it at most; then they go, with a warning. 0: it is not pulled, and nothing waits';
INSERT INTO followup.suppression_list (provider_type, waits)
SELECT t, '10 minutes' FROM unnest(ARRAY['sendgrid', 'mailgun', 'postmark', 'ses']) AS t;

CREATE TABLE followup.list_pull (
    account_id     bigint NOT NULL REFERENCES followup.account ON DELETE CASCADE,
    provider_type  text NOT NULL,
    since          timestamptz NOT NULL,
    planned_at     timestamptz NOT NULL,
    next_try_at    timestamptz NOT NULL,
    tries          integer NOT NULL DEFAULT 0,
    asked_provider text,
    asked_at       timestamptz,
    done           text[] NOT NULL DEFAULT '{}',
    applied        integer NOT NULL DEFAULT 0,
    error          text,
    ended_at       timestamptz,
    known_until    timestamptz,
    PRIMARY KEY (account_id, provider_type)
);
COMMENT ON TABLE followup.list_pull IS
    'the last pull of a provider''s suppression list for an account: under way while ended_at is NULL. All times are real';
COMMENT ON COLUMN followup.list_pull.since IS 'entries of that time and later are applied';
COMMENT ON COLUMN followup.list_pull.asked_at IS 'when asked_provider was asked last: what comes of it is known by that';
COMMENT ON COLUMN followup.list_pull.done IS 'the [provider.NAME]s whose list was read to its end';
COMMENT ON COLUMN followup.list_pull.applied IS 'how many entries changed something';
COMMENT ON COLUMN followup.list_pull.error IS 'of the last try; once it has ended, why the list is not known whole';
COMMENT ON COLUMN followup.list_pull.known_until IS 'whom the provider suppressed is known of every gap (inbox_gap) until then';
CREATE INDEX list_pull_open ON followup.list_pull (next_try_at) WHERE ended_at IS NULL;
ALTER TABLE followup.list_pull ENABLE ROW LEVEL SECURITY;
CREATE POLICY account ON followup.list_pull TO followup_app USING (account_id = current_setting('followup.account')::bigint);
CREATE POLICY every_account ON followup.list_pull TO followup_admin, followup_engine USING (true);

ALTER TABLE followup.account ADD COLUMN list_awaited_at timestamptz;
COMMENT ON COLUMN followup.account.list_awaited_at IS
    'since when (real) nothing of the account is claimed because a suppression list is being pulled (list_pull); NULL: none is';

GRANT SELECT ON followup.suppression_list, followup.list_pull TO followup_engine, followup_app, followup_admin;
GRANT UPDATE ON followup.suppression_list TO followup_admin;
RESET ROLE;
