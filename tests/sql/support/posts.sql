-- Included after rules_world.sql: a worker that owns every shard, claims by claim_messages and records by record_results.
CREATE FUNCTION t.worker() RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT '00000000-0000-0000-0000-00000000000a'::uuid $$;
CREATE FUNCTION t.ask(p_message bigint) RETURNS text LANGUAGE sql AS $$
    SELECT verdict::text FROM followup.claim_messages(t.worker(), (SELECT array_agg(shard ORDER BY shard) FROM followup.lease),
        (SELECT array_agg(epoch ORDER BY shard) FROM followup.lease), ARRAY[1::bigint], ARRAY[p_message], 'sandbox') $$;
CREATE FUNCTION t.tell(p_message bigint, p_outcome followup.attempt_outcome, p_retry_after_ms bigint = 0) RETURNS boolean LANGUAGE sql AS $$
    SELECT r.accepted
      FROM followup.message AS m, LATERAL followup.record_results(t.worker(), (SELECT array_agg(shard ORDER BY shard) FROM followup.lease),
               (SELECT array_agg(epoch ORDER BY shard) FROM followup.lease), ARRAY[m.account_id], ARRAY[m.id], ARRAY[m.attempts], ARRAY[m.posts],
               ARRAY[m.epoch], ARRAY[p_outcome], ARRAY[false], ARRAY[200], ARRAY[p_retry_after_ms], ARRAY[NULL::text], ARRAY[NULL::text],
               ARRAY[clock_timestamp()], ARRAY[clock_timestamp()], ARRAY['S'], ARRAY['T'], ARRAY[NULL::text]) AS r
     WHERE m.account_id = 1 AND m.id = p_message $$;
-- The due time of a message, to the second.
CREATE FUNCTION t.at(p_message bigint) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN isfinite(due_at) THEN to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') ELSE due_at::text END FROM followup.message WHERE id = p_message $$;
-- All is planned anew, and nothing has changed: a day off in some year.
CREATE FUNCTION t.replan() RETURNS void LANGUAGE sql AS $$
    INSERT INTO followup.holiday (account_id, date, name) VALUES (1, '2031-01-01', 'far away');
    DELETE FROM followup.holiday WHERE date = '2031-01-01' $$;
DO $$ BEGIN PERFORM followup.acquire_leases(t.worker(), NULL, 600000); END $$;
