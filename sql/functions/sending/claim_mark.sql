CREATE OR REPLACE FUNCTION followup.claim_mark() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END FROM followup.order_seq AS s
$$;
COMMENT ON FUNCTION followup.claim_mark() IS
    'The number of the newest claim (message.claim_seq): what is claimed after this answer has a greater one. For sweep_sending. Reads the sequence, not the tables; no refusals.';
