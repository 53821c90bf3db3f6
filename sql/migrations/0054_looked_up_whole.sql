-- A claim looks for one user and one step by their keys. These two began with the columns that all users of an account and
-- all steps of all versions of a sequence share, and where the planner took those to be few it read them all, for each message.
SET ROLE followup_owner;
DROP INDEX followup.app_user_email;
CREATE UNIQUE INDEX app_user_email ON followup.app_user (lower(email), account_id);
ALTER TABLE followup.step
    DROP CONSTRAINT step_account_id_sequence_id_version_step_key_key,
    ADD CONSTRAINT step_key_once UNIQUE (step_key, version, sequence_id, account_id);
RESET ROLE;
