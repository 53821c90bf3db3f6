-- Leads that are erased (erase_lead): what is kept so that a stop outlives them.
SET ROLE followup_owner;

CREATE TABLE followup.erase_key (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    secret bytea NOT NULL CHECK (length(secret) = 32)
);
COMMENT ON TABLE followup.erase_key IS 'the installation''s secret by which erased addresses are known again (address_digest). Only the owner reads it';
INSERT INTO followup.erase_key (secret)
VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

CREATE TABLE followup.erased_address (
    account_id bigint NOT NULL REFERENCES followup.account ON DELETE CASCADE,
    digest     bytea NOT NULL,
    reason     text NOT NULL,
    erased_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, digest)
);
COMMENT ON TABLE followup.erased_address IS
    'addresses of erased leads that were not to be written to any more, as keyed hashes (address_digest). A lead that comes with such an address, or is given it, is suppressed again for the same reason';
ALTER TABLE followup.erased_address ENABLE ROW LEVEL SECURITY;
CREATE POLICY account ON followup.erased_address TO followup_app USING (account_id = current_setting('followup.account')::bigint);
CREATE POLICY every_account ON followup.erased_address TO followup_admin, followup_engine USING (true);
GRANT SELECT ON followup.erased_address TO followup_admin;
RESET ROLE;
