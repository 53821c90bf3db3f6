CREATE OR REPLACE FUNCTION followup.next_step(
    p_account bigint, p_sequence bigint, p_version integer, p_kind followup.message_kind, p_position integer)
RETURNS SETOF followup.step
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT s.*
      FROM followup.step AS s
     WHERE s.account_id = p_account AND s.sequence_id = p_sequence AND s.version = p_version
       AND s.kind = p_kind::text::followup.step_kind AND s.position > p_position
     ORDER BY s.position
     LIMIT 1
$$;
COMMENT ON FUNCTION followup.next_step(bigint, bigint, integer, followup.message_kind, integer) IS
    'The step after this position among those of its kind; no row after the last one, and after the account''s feedback message (p_position NULL).';
