CREATE OR REPLACE FUNCTION followup.webhook_digest(p_events json) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.sha256(pg_catalog.convert_to((p_events::jsonb #- '{0,classified}')::text, 'UTF8'));
$$;
COMMENT ON FUNCTION followup.webhook_digest(json) IS
    'Internal: what a webhook of a single-use token says, whose events are an array. Without what a classifier said of its mail: asked again, it may be away or of another mind.';
