CREATE OR REPLACE FUNCTION followup.import_sequence(p_account bigint, p_document jsonb, p_actor bigint = NULL)
RETURNS TABLE (sequence_id bigint, version integer, steps integer, changed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor    followup.actor;
    v_sequence bigint;
    v_version  integer;
BEGIN
    PERFORM followup.require_account(p_account);
    v_actor := followup.require_permission(p_account, p_actor, 'import');
    PERFORM followup.check_sequence_document(p_document);

    INSERT INTO followup.sequence (account_id, name, status_set)
    VALUES (p_account, p_document ->> 'name', coalesce(p_document ->> 'status_set', 'current')::followup.status_set)
        ON CONFLICT (account_id, name) WHERE name IS NOT NULL DO NOTHING;
    -- Two imports of one sequence wait for each other here; what is read below is then the last version.
    PERFORM FROM followup.sequence AS s
      WHERE s.account_id = p_account AND s.name = p_document ->> 'name' FOR NO KEY UPDATE;
    SELECT s.id, coalesce(max(v.version), 0) INTO v_sequence, v_version
      FROM followup.sequence AS s
      LEFT JOIN followup.sequence_version AS v ON v.account_id = s.account_id AND v.sequence_id = s.id
     WHERE s.account_id = p_account AND s.name = p_document ->> 'name'
     GROUP BY s.id;
    IF p_document ? 'status_set' THEN
        UPDATE followup.sequence AS s SET status_set = (p_document ->> 'status_set')::followup.status_set
         WHERE s.account_id = p_account AND s.id = v_sequence
           AND s.status_set <> (p_document ->> 'status_set')::followup.status_set;
    END IF;

    steps := jsonb_array_length(p_document -> 'steps');
    sequence_id := v_sequence;
    version := v_version;
    changed := v_version = 0 OR (SELECT jsonb_agg(d ORDER BY d.kind, d.position)
                                   FROM followup.sequence_document_steps(p_document) AS d)
                                IS DISTINCT FROM
                                (SELECT jsonb_agg(d ORDER BY d.kind, d.position)
                                   FROM (SELECT t.kind, t.position, t.step_key, t.delay, t.delay_unit, t.subject,
                                                t.body_text, t.body_html
                                           FROM followup.step AS t
                                          WHERE t.account_id = p_account AND t.sequence_id = v_sequence
                                            AND t.version = v_version) AS d);
    IF changed THEN
        version := v_version + 1;
        INSERT INTO followup.sequence_version (account_id, sequence_id, version)
        VALUES (p_account, v_sequence, v_version + 1);
        INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, delay_unit,
                                   subject, body_text, body_html)
        SELECT p_account, v_sequence, v_version + 1, d.kind, d.position, d.step_key, d.delay, d.delay_unit, d.subject,
               d.body_text, d.body_html
          FROM followup.sequence_document_steps(p_document) AS d;
        INSERT INTO followup.activity (account_id, actor, action, detail, at)
        VALUES (p_account, v_actor.name, 'sequence_imported',
                jsonb_build_object('sequence_id', v_sequence, 'version', v_version + 1), followup.now());
    END IF;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION followup.import_sequence(bigint, jsonb, bigint) IS
    'A sequence from its document (docs/examples/sequence.json). The same name again makes a new version when a step differs, and answers the present one when none does (changed false). Refuses (22023) an unknown key, a missing or wrong value, a bad merge tag: named by step and field; an account without a postal address. Conversations go on in the version they have; continue and restart take the newest.';
