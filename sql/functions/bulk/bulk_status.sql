CREATE OR REPLACE FUNCTION followup.bulk_status(p_account bigint, p_bulk bigint = NULL)
RETURNS TABLE (bulk_id bigint, action text, filter text, state text, planned bigint, done bigint, left_alone jsonb,
               undone bigint, kept jsonb, errors jsonb, chunks bigint, chunks_done bigint, plan jsonb, note text, actor text,
               at timestamptz, run_at timestamptz, created_at timestamptz, finished_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT b.id, b.action, b.filter, b.state::text, (b.plan ->> 'done')::bigint, coalesce(s.done, 0), coalesce(l.left_alone, '{}'),
           s.undone, k.kept, coalesce(e.errors, '[]'), coalesce(s.chunks, 0), coalesce(s.chunks_done, 0), b.plan, b.note,
           (b.acting).name, b.at, b.run_at, b.created_at, b.finished_at
      FROM followup.bulk AS b
      LEFT JOIN LATERAL (SELECT sum(c.done) AS done, sum(c.undone) AS undone, count(*) AS chunks,
                                CASE WHEN b.state IN ('undoing', 'undone') THEN count(c.undone_at) ELSE count(c.ran_at) END AS chunks_done
                           FROM followup.bulk_chunk AS c WHERE c.account_id = b.account_id AND c.bulk_id = b.id) AS s ON true
      LEFT JOIN LATERAL (SELECT pg_catalog.jsonb_object_agg(r.key, r.leads) AS left_alone
                           FROM (SELECT j.key, sum(j.value::bigint) AS leads
                                   FROM followup.bulk_chunk AS c, pg_catalog.jsonb_each_text(c.left_alone) AS j
                                  WHERE c.account_id = b.account_id AND c.bulk_id = b.id GROUP BY j.key) AS r) AS l ON true
      LEFT JOIN LATERAL (SELECT pg_catalog.jsonb_object_agg(r.key, r.leads) AS kept
                           FROM (SELECT j.key, sum(j.value::bigint) AS leads
                                   FROM followup.bulk_chunk AS c, pg_catalog.jsonb_each_text(c.kept) AS j
                                  WHERE c.account_id = b.account_id AND c.bulk_id = b.id GROUP BY j.key) AS r) AS k ON true
      LEFT JOIN LATERAL (SELECT pg_catalog.jsonb_agg(f.error) AS errors
                           FROM (SELECT j AS error
                                   FROM followup.bulk_chunk AS c, pg_catalog.jsonb_array_elements(c.errors) AS j
                                  WHERE c.account_id = b.account_id AND c.bulk_id = b.id ORDER BY c.no LIMIT 100) AS f) AS e ON true
     WHERE b.account_id = p_account AND (p_bulk IS NULL OR b.id = p_bulk)
     ORDER BY b.id DESC
     LIMIT 100
$$;
COMMENT ON FUNCTION followup.bulk_status(bigint, bigint) IS
    'How far a bulk is (NULL: the last 100 of the account): leads done and left alone so far by reason, chunks, what an undo took back and kept by reason, the first 100 errors. Row-level security of the caller applies.';
