-- A message is claimed before it is due: until when is asked of claim_refusals too.
SET ROLE followup_owner;
DROP FUNCTION IF EXISTS followup.claim_refusals(uuid, timestamptz, timestamptz, integer[], bigint[], bigint[], bigint[], bigint[]);
RESET ROLE;
