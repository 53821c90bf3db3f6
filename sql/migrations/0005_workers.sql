-- Who works on which shard, until when. Times here are real.
SET ROLE followup_owner;

CREATE TABLE followup.worker (
    id       uuid PRIMARY KEY,
    host     text NOT NULL,
    beat_at  timestamptz NOT NULL,
    draining boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE followup.worker IS 'one row a process start';

CREATE TABLE followup.lease (
    shard      integer PRIMARY KEY CHECK (shard BETWEEN 0 AND 63),
    owner      uuid,
    epoch      bigint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON TABLE followup.lease IS 'ownership of a shard; the epoch rises with every owner, and a claim of an older epoch finds no row';
INSERT INTO followup.lease (shard) SELECT generate_series(0, 63);
RESET ROLE;
