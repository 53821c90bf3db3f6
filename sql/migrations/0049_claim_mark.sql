-- sweep_sending has a parameter more: up to which claim it may judge.
DROP FUNCTION IF EXISTS followup.sweep_sending(uuid, integer[], bigint[], bigint[], bigint[], bigint, integer);
