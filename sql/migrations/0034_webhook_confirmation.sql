-- What SNS asks before it sends anything to a topic's subscriber. A person confirms; nothing does so by itself.
SET ROLE followup_owner;

CREATE TABLE followup.webhook_confirmation (
    account_id  bigint NOT NULL REFERENCES followup.account ON DELETE CASCADE,
    source      text NOT NULL,
    topic_arn   text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('SubscriptionConfirmation', 'UnsubscribeConfirmation')),
    token       text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, source, topic_arn)
);
COMMENT ON TABLE followup.webhook_confirmation IS
    'the last confirmation that each topic asked of each source of webhooks; signed, and of a topic that is configured. token: what ConfirmSubscription wants';
COMMENT ON COLUMN followup.webhook_confirmation.source IS 'NAME of the [webhook.NAME] that it came to';

ALTER TABLE followup.webhook_confirmation ENABLE ROW LEVEL SECURITY;
CREATE POLICY account ON followup.webhook_confirmation TO followup_app USING (account_id = current_setting('followup.account')::bigint);
CREATE POLICY every_account ON followup.webhook_confirmation TO followup_admin, followup_engine USING (true);
GRANT SELECT ON followup.webhook_confirmation TO followup_admin;
RESET ROLE;
