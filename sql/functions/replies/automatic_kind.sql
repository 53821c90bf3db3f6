CREATE OR REPLACE FUNCTION followup.automatic_kind(p_event jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    v_from text := pg_catalog.split_part(pg_catalog.lower(p_event ->> 'from'), '@', 1);
    v_has  record;
BEGIN
    -- RFC 3834: comments and parameters are no part of the keyword.
    SELECT coalesce(bool_or(h.name = 'content-type' AND h.value ~* '^\s*multipart/report\M'), false) AS report,
           coalesce(bool_or(h.name = 'auto-submitted' AND btrim(split_part(regexp_replace(h.value, '\([^()]*\)', '', 'g'), ';', 1)) NOT IN ('', 'no')
                   OR h.name IN ('x-autoreply', 'x-autorespond', 'x-autoresponder', 'x-auto-reply', 'x-autoreply-from')
                   OR h.name = 'precedence' AND btrim(h.value) IN ('bulk', 'junk', 'auto_reply', 'auto-reply')
                   OR h.name = 'return-path' AND btrim(h.value) = '<>'), false) AS sure,
           count(DISTINCT h.name) FILTER (WHERE h.name IN ('list-id', 'x-auto-response-suppress')
                                             OR h.name = 'precedence' AND btrim(h.value) = 'list') AS hints
      INTO v_has
      FROM (SELECT pg_catalog.lower(e ->> 0) AS name, pg_catalog.lower(e ->> 1) AS value
              FROM pg_catalog.jsonb_array_elements(followup.as_array(p_event -> 'headers')) AS e) AS h;
    RETURN CASE
        WHEN v_has.report THEN 'report'
        WHEN v_has.sure OR btrim(p_event ->> 'sender') IN ('', '<>') OR v_from IN ('mailer-daemon', 'postmaster')
             OR v_from ~ '^owner-|-request$' THEN 'answer'
        WHEN v_has.hints + (coalesce(p_event ->> 'subject', '') ~* '^\s*(auto(matic)?[ -]?(reply|response)?|automatische antwort|abwesen\w*|réponse automatique|respuesta automática|out of office)\M')::integer >= 2
             THEN 'answer' END;
END
$$;
COMMENT ON FUNCTION followup.automatic_kind(jsonb) IS
    'Whether a machine wrote this mail: report (multipart/report: about one of ours), answer (RFC 3834 and what other programs use), NULL: a person. Auto-Submitted other than no, a null return path, Precedence bulk, junk or auto_reply, X-Autoreply and the like, a machine''s address are sure; List-Id, Precedence list, X-Auto-Response-Suppress and the beginning of the subject only when two of them agree. A missing return path says nothing: most providers do not pass it on.';
