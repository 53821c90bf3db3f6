CREATE OR REPLACE FUNCTION followup.sequence_document_steps(p_document jsonb)
RETURNS TABLE (kind followup.step_kind, "position" integer, step_key text, delay interval,
               delay_unit followup.delay_unit, subject text, body_text text, body_html text)
LANGUAGE sql STABLE AS $$
    SELECT (s.step ->> 'kind')::followup.step_kind,
           (pg_catalog.row_number() OVER (PARTITION BY s.step ->> 'kind' ORDER BY s.number))::integer,
           s.step ->> 'key', (s.step ->> 'delay')::interval,
           coalesce(s.step ->> 'unit', 'elapsed')::followup.delay_unit,
           s.step ->> 'subject', s.step ->> 'body_text', s.step ->> 'body_html'
      FROM pg_catalog.jsonb_array_elements(p_document -> 'steps') WITH ORDINALITY AS s (step, number)
$$;
COMMENT ON FUNCTION followup.sequence_document_steps(jsonb) IS
    'The steps of a sequence document as rows of followup.step; positions count each kind by itself. Check the document first.';
