CREATE OR REPLACE FUNCTION followup.worker_report(p_worker uuid, p_figures jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF jsonb_typeof(p_figures) IS DISTINCT FROM 'object' OR pg_column_size(p_figures) > 65536 THEN
        RAISE EXCEPTION 'worker_report: the figures must be a JSON object of at most 64 KiB' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO followup.worker_figures AS f (worker, at, figures)
    VALUES (p_worker, pg_catalog.clock_timestamp(), p_figures)
        ON CONFLICT (worker) DO UPDATE SET at = excluded.at, figures = excluded.figures;
    DELETE FROM followup.worker_figures AS f WHERE f.at < pg_catalog.clock_timestamp() - '1 day'::interval;
    RETURN (SELECT count(*) FROM followup.reply AS r WHERE r.settled_at IS NULL AND r.alert IS NOT NULL);
END
$$;
COMMENT ON FUNCTION followup.worker_report(uuid, jsonb) IS
    'What this worker says of itself, in place of what it said before: an object of numbers named as in /metrics, seconds and bytes; a histogram is its count, p50 and p99 of the last one to two minutes. Forgets workers that were silent for a day. Answers how many alerts raised by replies nobody has settled, of all accounts. Refuses (22023) anything but an object, and one of more than 64 KiB.';
