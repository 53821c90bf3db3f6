-- Messages in doubt that their provider was asked about.
SET ROLE followup_owner;

CREATE TABLE followup.look_up (
    account_id   bigint NOT NULL,
    message_id   bigint NOT NULL,
    attempts     integer NOT NULL,
    looks        integer NOT NULL,
    looked_up_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, message_id),
    FOREIGN KEY (account_id, message_id) REFERENCES followup.message (account_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE followup.look_up IS
    'a message in doubt that its provider was asked about: for which key (attempts), how often, and when last (real time, just before it was asked)';
ALTER TABLE followup.look_up ENABLE ROW LEVEL SECURITY;
CREATE POLICY account ON followup.look_up TO followup_app
    USING (account_id = current_setting('followup.account')::bigint);
CREATE POLICY every_account ON followup.look_up TO followup_admin, followup_engine USING (true);
GRANT SELECT ON followup.look_up TO followup_engine, followup_app, followup_admin;
RESET ROLE;
