-- For what looks at the last minutes of sending (engine_lateness, engine_refusals). Attempts are written in the order in which
-- they end, so a block range index finds the last minute in a large table, and costs the engine next to nothing.
SET ROLE followup_owner;
CREATE INDEX attempt_ended ON followup.attempt USING brin (ended_at) WITH (pages_per_range = 32, autosummarize = on);
RESET ROLE;
