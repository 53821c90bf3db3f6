CREATE OR REPLACE FUNCTION followup.import_leads(
    p_account bigint, p_rows jsonb, p_sequence bigint = NULL, p_assistant bigint = NULL,
    p_duplicates text = 'refuse', p_strict boolean = false, p_actor bigint = NULL)
RETURNS TABLE (line integer, lead_id bigint, outcome text, reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_actor followup.actor;
    v_rows  followup.lead_import[];
BEGIN
    PERFORM followup.require_account(p_account);
    v_actor := followup.require_permission(p_account, p_actor, 'import');
    IF p_duplicates IS NULL OR p_duplicates NOT IN ('update', 'skip', 'refuse') THEN
        RAISE EXCEPTION 'duplicates: "%" is none of update, skip, refuse', p_duplicates
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF jsonb_typeof(p_rows) IS DISTINCT FROM 'array' OR jsonb_array_length(p_rows) > 20000 THEN
        RAISE EXCEPTION 'rows: must be a list of at most 20000' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_sequence IS NOT NULL AND NOT EXISTS (SELECT FROM followup.sequence AS s
                                               WHERE s.account_id = p_account AND s.id = p_sequence) THEN
        RAISE EXCEPTION 'sequence: there is no sequence %', p_sequence USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM followup.check_steps(p_account, p_sequence);
    IF p_assistant IS NOT NULL AND NOT EXISTS (SELECT FROM followup.assistant AS a
                                                WHERE a.account_id = p_account AND a.id = p_assistant) THEN
        RAISE EXCEPTION 'assistant: there is no assistant %', p_assistant USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- One import of an account after the other: two with the same new addresses, in calls of different order, would wait for
    -- each other's rows in the index of addresses. Nobody who holds a row waits for this.
    PERFORM pg_advisory_xact_lock(hashtextextended('followup.import ' || p_account, 0));
    -- What may be written is locked before it is judged, the account for the new leads that are started in it.
    PERFORM followup.lock_leads(p_account, ARRAY(
        SELECT l.id FROM jsonb_array_elements(p_rows) AS r (o)
          JOIN followup.lead AS l ON l.account_id = p_account AND lower(l.email) = lower(btrim(r.o ->> 'email'))
         WHERE p_duplicates = 'update'));
    v_rows := followup.judge_lead_rows(p_account, p_rows, p_duplicates, v_actor,
                                       (followup.actor_of(p_account, p_actor, 'reassign')).permitted);
    IF p_strict AND EXISTS (SELECT FROM unnest(v_rows) AS r WHERE r.outcome = 'refused') THEN
        RETURN QUERY SELECT r.line, NULL::bigint, CASE r.outcome WHEN 'refused' THEN 'refused' ELSE 'withheld' END,
                            CASE r.outcome WHEN 'refused' THEN r.reason ELSE 'another line was refused' END
                       FROM unnest(v_rows) AS r ORDER BY r.line;
        RETURN;
    END IF;
    v_rows := followup.write_lead_rows(p_account, v_rows, p_sequence, p_assistant, p_actor);
    RETURN QUERY SELECT r.line, r.lead_id, r.outcome, r.reason FROM unnest(v_rows) AS r ORDER BY r.line;
END
$$;
COMMENT ON FUNCTION followup.import_leads(bigint, jsonb, bigint, bigint, text, boolean, bigint) IS
    'Leads from a list of objects {line, email, external_id, first_name, last_name, company, country, timezone, rep_email, fields} (at most 20000 a call; several calls in one transaction are one import). One row an object: outcome imported, updated, skipped or refused, with the reason; imported and updated may carry a remark, such as an unknown zone (the account''s is used). p_sequence starts the new ones. p_duplicates: what to do with an address that is a lead already: update (where the actor''s profile reaches that lead; to another representative only with the permission reassign), skip, refuse. p_strict: writes nothing when one is refused (the others are withheld). Imports of one account take turns until they commit. Raises 22023 for a bad argument or a sequence without steps, 42501 without permission to import.';
