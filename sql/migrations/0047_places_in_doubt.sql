-- What is in doubt is claimed for the places that each provider has: p_places in the place of p_limit.
DROP FUNCTION IF EXISTS followup.claim_in_doubt(uuid, integer[], bigint[], text[], bigint[], bigint, text, integer);
DROP FUNCTION IF EXISTS followup.lock_doubts(integer[], text[], bigint[], bigint, text, integer, timestamptz, timestamptz);
