CREATE OR REPLACE FUNCTION followup.write_lead_rows(
    p_account bigint, p_rows followup.lead_import[], p_sequence bigint, p_assistant bigint, p_actor bigint)
RETURNS followup.lead_import[]
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    v_rows followup.lead_import[];
BEGIN
    -- Values are written here, and what follows from them follows (lead_written).
    PERFORM pg_catalog.set_config('followup.values', 'on', true);
    UPDATE followup.lead AS l
       SET external_id = coalesce(r.external_id, l.external_id), first_name = coalesce(r.first_name, l.first_name),
           last_name = coalesce(r.last_name, l.last_name), company = coalesce(r.company, l.company),
           country = coalesce(r.country, l.country), timezone = coalesce(r.timezone, l.timezone),
           rep_id = coalesce(r.rep_id, l.rep_id), fields = l.fields || (r.fields - '{crm_source,crm_status}'::text[]),
           crm_source = coalesce(r.fields ->> 'crm_source', l.crm_source),
           crm_status = coalesce(r.fields ->> 'crm_status', l.crm_status)
      FROM unnest(p_rows) AS r
     WHERE r.outcome = 'updated' AND l.account_id = p_account AND l.id = r.lead_id;
    PERFORM pg_catalog.set_config('followup.values', 'off', true);
    -- Somebody else may have added the same address since the rows were judged: that line is refused, the others go in.
    WITH written AS (
        INSERT INTO followup.lead (account_id, email, external_id, first_name, last_name, company, country, timezone,
                                   rep_id, fields, crm_source, crm_status)
        SELECT p_account, r.email, r.external_id, r.first_name, r.last_name, r.company, r.country, r.timezone, r.rep_id,
               r.fields - '{crm_source,crm_status}'::text[], r.fields ->> 'crm_source', r.fields ->> 'crm_status'
          FROM unnest(p_rows) AS r WHERE r.outcome = 'imported' ORDER BY r.line
            ON CONFLICT DO NOTHING
        RETURNING id, email)
    SELECT array_agg(ROW(r.line, r.email, r.external_id, r.first_name, r.last_name, r.company, r.country, r.timezone,
                         r.rep_id, r.fields, coalesce(w.id, r.lead_id),
                         CASE WHEN r.outcome = 'imported' AND w.id IS NULL THEN 'refused' ELSE r.outcome END,
                         CASE WHEN r.outcome = 'imported' AND w.id IS NULL
                              THEN 'email or external_id: was added by somebody else just now'
                              ELSE r.reason END)::followup.lead_import ORDER BY r.line)
      INTO v_rows
      FROM unnest(p_rows) AS r LEFT JOIN written AS w ON w.email = r.email AND r.outcome = 'imported';
    IF p_sequence IS NULL OR NOT EXISTS (SELECT FROM unnest(v_rows) AS r WHERE r.outcome = 'imported') THEN
        RETURN v_rows;
    END IF;
    RETURN (
        WITH started AS MATERIALIZED (
            SELECT a.lead_id, a.reason, a.sub_state
              FROM followup.start_follow_up(
                       p_account => p_account, p_sequence => p_sequence, p_assistant => p_assistant, p_actor => p_actor,
                       p_leads => (SELECT array_agg(r.lead_id ORDER BY r.line) FROM unnest(v_rows) AS r
                                    WHERE r.outcome = 'imported')) AS a
             WHERE NOT a.done)
        SELECT array_agg(ROW(r.line, r.email, r.external_id, r.first_name, r.last_name, r.company, r.country, r.timezone,
                             r.rep_id, r.fields, r.lead_id, r.outcome,
                             CASE WHEN s.lead_id IS NULL THEN r.reason
                                  ELSE concat_ws('; ', r.reason, 'not started: ' || concat_ws('/', s.reason, s.sub_state)) END
                            )::followup.lead_import ORDER BY r.line)
          FROM unnest(v_rows) AS r LEFT JOIN started AS s ON s.lead_id = r.lead_id AND r.outcome = 'imported');
END
$$;
COMMENT ON FUNCTION followup.write_lead_rows(bigint, followup.lead_import[], bigint, bigint, bigint) IS
    'Writes what judge_lead_rows let through and starts the new leads; answers the rows with their ids. The caller has locked the account and the leads that are updated (lock_leads). A blank value of an update keeps what is there. The columns crm_source and crm_status go through the CRM rules: a stop code keeps a lead out.';
