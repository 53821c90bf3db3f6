-- Whose suppression list is awaited stands in list_pull alone. Beside it account.list_awaited_at was a second mark, for which whoever
-- noted a gap, and that may be whoever renews leases, waited for the locks of all those accounts.
DROP TRIGGER IF EXISTS account_notify_pause ON followup.account;    -- sql/triggers and sql/views make these anew
DROP VIEW IF EXISTS followup.message_to_claim;
DROP VIEW IF EXISTS followup.wrong_message;
DROP VIEW IF EXISTS followup.message_to_load;
SET ROLE followup_owner;
DROP INDEX followup.account_paused;
CREATE INDEX account_paused ON followup.account (id) WHERE paused_at IS NOT NULL;
ALTER TABLE followup.account DROP COLUMN list_awaited_at;
-- A foreign key would wait for an account that is being deleted. claim_list_pull drops what is left of one.
ALTER TABLE followup.list_pull DROP CONSTRAINT list_pull_account_id_fkey;
COMMENT ON TABLE followup.list_pull IS
    'the last pull of a provider''s suppression list for an account: under way while ended_at is NULL, and until then nothing of the account is claimed. All times are real. No foreign key: whoever notes a gap waits for no account (note_gap)';
-- They take or answer something else now; sql/functions has them.
DROP FUNCTION IF EXISTS followup.note_gap();
DROP FUNCTION IF EXISTS followup.inbox_beat();
DROP FUNCTION IF EXISTS followup.end_list_pulls(bigint[], text[], text[], text, timestamptz);
DROP FUNCTION IF EXISTS followup.judge_lead_rows(bigint, jsonb, text);
DROP FUNCTION IF EXISTS followup.fact_plan(bigint, bigint[]);
DROP FUNCTION IF EXISTS followup.own_fact_plan(bigint, bigint[], followup.actor);
RESET ROLE;
