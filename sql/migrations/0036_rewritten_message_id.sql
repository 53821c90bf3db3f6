-- record_results has one parameter more: the Message-ID that a provider wrote in the place of ours.
DROP FUNCTION IF EXISTS followup.record_results(
    uuid, integer[], bigint[], bigint[], bigint[], integer[], integer[], bigint[], followup.attempt_outcome[], boolean[],
    integer[], bigint[], text[], text[], timestamptz[], timestamptz[], text[], text[], text[]);
