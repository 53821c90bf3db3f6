-- Several workers: a renewal says which shards another worker is preferred for, so it answers one column more.
SET ROLE followup_owner;
DROP FUNCTION IF EXISTS followup.renew_leases(uuid, integer[], bigint[], bigint);
RESET ROLE;
