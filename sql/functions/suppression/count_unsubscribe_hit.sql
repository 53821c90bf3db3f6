CREATE OR REPLACE FUNCTION followup.count_unsubscribe_hit(p_account bigint, p_lead bigint, p_user_agent text, p_post boolean)
RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_scanner boolean := followup.scanner_hit(p_account, p_lead, p_user_agent);
BEGIN
    INSERT INTO followup.unsubscribe_hit AS h (account_id, lead_id, gets, posts, scanner_gets, scanner_posts, last_at)
    VALUES (p_account, p_lead, (NOT p_post AND NOT v_scanner)::integer, (p_post AND NOT v_scanner)::integer,
            (NOT p_post AND v_scanner)::integer, (p_post AND v_scanner)::integer, pg_catalog.clock_timestamp())
        ON CONFLICT (account_id, lead_id) DO UPDATE
           SET gets = h.gets + excluded.gets, posts = h.posts + excluded.posts,
               scanner_gets = h.scanner_gets + excluded.scanner_gets, scanner_posts = h.scanner_posts + excluded.scanner_posts,
               last_at = excluded.last_at;
END
$$;
COMMENT ON FUNCTION followup.count_unsubscribe_hit(bigint, bigint, text, boolean) IS
    'Internal: one call of a lead''s unsubscribe link more, a scanner''s counted apart. Written last: it waits for another call of the same link alone.';
