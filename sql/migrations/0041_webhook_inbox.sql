-- A webhook is stored as it came, one row and nothing looked up in it, and taken apart afterwards: the provider waits for
-- the first alone. And what was applied is forgotten in the end.
DROP FUNCTION IF EXISTS followup.receive_webhooks(bigint[], text[], jsonb[], text[]);
DROP FUNCTION IF EXISTS followup.apply_inbox(integer);
SET ROLE followup_owner;

CREATE TABLE followup.webhook (
    account_id  bigint NOT NULL,
    id          bigint GENERATED ALWAYS AS IDENTITY,
    source      text NOT NULL,
    events      json NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    error       text,
    PRIMARY KEY (account_id, id)
);
-- It is read once, soon; compressing it costs more than the bytes.
ALTER TABLE followup.webhook ALTER COLUMN events SET STORAGE EXTERNAL;
COMMENT ON TABLE followup.webhook IS
    'webhooks that were acknowledged and not yet taken apart into provider_event (unpack_webhooks). No foreign key: those of an account that is gone are dropped then';
COMMENT ON COLUMN followup.webhook.source IS 'NAME of the [webhook.NAME] that brought it';
COMMENT ON COLUMN followup.webhook.events IS 'array of typed events or replies';
COMMENT ON COLUMN followup.webhook.received_at IS 'real time';
COMMENT ON COLUMN followup.webhook.error IS 'why it cannot be taken apart: it stays, and is not tried again. Set to NULL: tried again';
CREATE INDEX webhook_waiting ON followup.webhook (received_at) WHERE error IS NULL;
CREATE INDEX webhook_failed ON followup.webhook (account_id) WHERE error IS NOT NULL;

ALTER TABLE followup.webhook ENABLE ROW LEVEL SECURITY;
CREATE POLICY account ON followup.webhook TO followup_app USING (account_id = current_setting('followup.account')::bigint);
CREATE POLICY every_account ON followup.webhook TO followup_admin, followup_engine USING (true);
GRANT SELECT ON followup.webhook TO followup_engine, followup_admin;

ALTER TABLE followup.provider_event
    ADD CONSTRAINT provider_event_id CHECK (event_id <> '' AND length(event_id) <= 1000) NOT VALID;
CREATE INDEX provider_event_received ON followup.provider_event (received_at);

CREATE TABLE followup.retention (
    what text PRIMARY KEY CHECK (what = 'provider_event'),
    keep interval NOT NULL CHECK (keep >= '7 days')
);
COMMENT ON TABLE followup.retention IS
    'how long what is done with is kept, real time since it came. provider_event: events of webhooks that were applied or given up, and webhooks that cannot be read; an event that comes again after that is taken for a new one, so seven days at least: longer than any provider repeats';
INSERT INTO followup.retention VALUES ('provider_event', '90 days');
GRANT SELECT ON followup.retention TO followup_engine, followup_app, followup_admin;
GRANT UPDATE ON followup.retention TO followup_admin;
RESET ROLE;
