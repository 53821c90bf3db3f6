-- Stored webhooks are taken apart by where they lie: locked rows stay there, and to find them needs no plan.
SET ROLE followup_owner;
DROP FUNCTION IF EXISTS followup.unpack_locked(bigint[], bigint[]);
RESET ROLE;
