-- What each worker says of itself, every two seconds. UNLOGGED: it is of no use after a crash, and so a report costs neither
-- WAL nor a flush. A table of its own, so that a report never holds the row that the worker's beat writes.
SET ROLE followup_owner;
CREATE UNLOGGED TABLE followup.worker_figures (
    worker  uuid PRIMARY KEY,
    at      timestamptz NOT NULL,
    figures jsonb NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE followup.worker_figures IS 'the latest figures of each worker; the names are those of /metrics without followupd_';
GRANT SELECT ON followup.worker_figures TO followup_engine, followup_admin;
RESET ROLE;
