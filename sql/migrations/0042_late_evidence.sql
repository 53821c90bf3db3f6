-- apply_event takes one argument more: the Message-ID that a provider put in place of ours.
DROP FUNCTION IF EXISTS followup.apply_event(bigint, bigint, followup.message_state, timestamptz, text, text);
-- They answer more.
DROP FUNCTION IF EXISTS followup.in_doubt_list(bigint, integer);
DROP FUNCTION IF EXISTS followup.worker_report(uuid, jsonb);
