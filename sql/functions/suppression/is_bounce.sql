CREATE OR REPLACE FUNCTION followup.is_bounce(p_reason text, p_source text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN p_reason = 'bounce' AND p_source = 'provider';
COMMENT ON FUNCTION followup.is_bounce(text, text) IS
    'Internal: was an address suppressed because mail to it came back (suppression.reason and source as bounce_message writes them)? That alone unbounce takes away.';
