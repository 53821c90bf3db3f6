CREATE OR REPLACE FUNCTION followup.is_own(p_actor followup.actor, p_user bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce((p_actor).own_leads_of = p_user, (p_actor).own_leads_of IS NULL);
COMMENT ON FUNCTION followup.is_own(followup.actor, bigint) IS
    'Internal: does the actor''s profile reach what is p_user''s, a lead by its rep_id (NULL: nobody''s)? One with all_leads, and whoever needs no profile, reaches all.';
