CREATE OR REPLACE FUNCTION followup.worker_beat(p_worker uuid, p_host text, p_draining boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO followup.worker AS w (id, host, beat_at, draining)
    VALUES (p_worker, p_host, pg_catalog.clock_timestamp(), p_draining)
        ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at, draining = excluded.draining;
    DELETE FROM followup.worker AS w WHERE w.beat_at < pg_catalog.clock_timestamp() - '7 days'::interval;
END
$$;
COMMENT ON FUNCTION followup.worker_beat(uuid, text, boolean) IS
    'This worker lives; p_draining: it takes nothing new. Forgets workers that were silent for 7 days (real time).';
