-- Which accounts nothing is claimed for now: those that wait for a suppression list too (0057). Without an index of just these,
-- whoever asks what may be loaded reads all accounts.
SET ROLE followup_owner;
DROP INDEX followup.account_paused;
CREATE INDEX account_paused ON followup.account (id) WHERE coalesce(paused_at, list_awaited_at) IS NOT NULL;
RESET ROLE;
