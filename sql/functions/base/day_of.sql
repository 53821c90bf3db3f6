CREATE OR REPLACE FUNCTION followup.day_of(p_day text, p_month text, p_year text, p_today date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT min(d.day)
      FROM pg_catalog.generate_series(extract(year FROM p_today)::integer - 1, extract(year FROM p_today)::integer + 1) AS near (year)
     CROSS JOIN LATERAL (SELECT CASE pg_catalog.length(p_year) WHEN 2 THEN 2000 + p_year::integer WHEN 4 THEN p_year::integer
                                                               ELSE near.year END AS year) AS y
     CROSS JOIN LATERAL (SELECT CASE WHEN p_month::integer BETWEEN 1 AND 12 AND y.year > 0
                                     THEN pg_catalog.make_date(y.year, p_month::integer, 1) + p_day::integer - 1 END AS day) AS d
     WHERE extract(month FROM d.day) = p_month::integer AND p_day::integer > 0 AND (p_year IS NOT NULL OR d.day >= p_today - 31)
$$;
COMMENT ON FUNCTION followup.day_of(text, text, text, date) IS
    'The day of these numbers; p_year of two digits: 20..; NULL: the first such day from 31 days before p_today on. NULL: there is no such day.';
