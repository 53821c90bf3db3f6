CREATE OR REPLACE FUNCTION followup.check_steps(p_account bigint, p_sequence bigint) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_sequence IS NOT NULL
       AND NOT EXISTS (SELECT FROM followup.step AS s
                        WHERE s.account_id = p_account AND s.sequence_id = p_sequence AND s.kind = 'sequence'
                          AND s.version = (SELECT max(v.version) FROM followup.sequence_version AS v
                                            WHERE v.account_id = p_account AND v.sequence_id = p_sequence)) THEN
        RAISE EXCEPTION 'sequence: "%" has no steps',
              (SELECT q.name FROM followup.sequence AS q WHERE q.account_id = p_account AND q.id = p_sequence)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION followup.check_steps(bigint, bigint) IS
    'Refuses (22023) a sequence whose newest version has no step to start with, where a whole list is to be started on it; NULL is fine. The actions themselves answer no_steps a lead.';
