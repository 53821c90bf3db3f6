CREATE OR REPLACE FUNCTION followup.builtin_profiles() RETURNS TABLE (name text, permissions text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH rep AS (SELECT ARRAY['skip', 'continue', 'restart', 'set_status'] AS p),
         manager AS (SELECT rep.p || ARRAY['all_leads', 'start', 'stop', 'hold', 'reschedule', 'unsubscribe', 'suppress',
                            'pause', 'reassign', 'import', 'rules', 'grant_stop'] AS p FROM rep),
         administrator AS (SELECT manager.p || ARRAY['users', 'reactivate', 'erase'] AS p FROM manager)
    SELECT 'rep', rep.p FROM rep
    UNION ALL SELECT 'manager', manager.p FROM manager
    UNION ALL SELECT 'administrator', administrator.p FROM administrator
$$;
COMMENT ON FUNCTION followup.builtin_profiles() IS
    'The profiles that every account has, and their permissions. all_leads: not only leads whose representative one is.';
