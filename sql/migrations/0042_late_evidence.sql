-- apply_event takes one argument more: the Message-ID that a provider put in place of ours.
DROP FUNCTION IF EXISTS followup.apply_event(bigint, bigint, followup.message_state, timestamptz, text, text);
