CREATE OR REPLACE FUNCTION followup.inbox_unmatched() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 'of no message of ours';
COMMENT ON FUNCTION followup.inbox_unmatched() IS 'Internal: the error of an event whose message is not known, so far.';
