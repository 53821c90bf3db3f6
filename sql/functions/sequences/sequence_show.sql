CREATE OR REPLACE FUNCTION followup.sequence_show(p_account bigint, p_sequence bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.jsonb_build_object(
               'sequence_id', s.id, 'name', s.name, 'status_set', s.status_set, 'version', v.version,
               'paused_at', s.paused_at,
               'steps', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                                    'key', t.step_key, 'kind', t.kind, 'delay', t.delay::text, 'unit', t.delay_unit,
                                    'subject', t.subject, 'body_text', t.body_text, 'body_html', t.body_html)
                                    ORDER BY t.kind, t.position)
                           FROM followup.step AS t
                          WHERE t.account_id = s.account_id AND t.sequence_id = s.id AND t.version = v.version))
      FROM followup.sequence AS s
      JOIN (SELECT w.account_id, w.sequence_id, pg_catalog.max(w.version) AS version
              FROM followup.sequence_version AS w GROUP BY 1, 2) AS v ON v.account_id = s.account_id AND v.sequence_id = s.id
     WHERE s.account_id = p_account AND s.id = p_sequence
$$;
COMMENT ON FUNCTION followup.sequence_show(bigint, bigint) IS
    'The newest version of a sequence as a document that import_sequence reads, with its ids beside; NULL: no such sequence.';
