-- Places under daily caps against the messages that hold them. Read by invariants().
CREATE OR REPLACE VIEW followup.wrong_cap AS
SELECT account_id, assistant_id, day, u.used, h.surely, coalesce(h.at_most, 0) + coalesce(u.gone, 0) AS at_most
  FROM followup.cap_use AS u
  FULL JOIN (SELECT m.account_id, m.cap_assistant_id AS assistant_id, m.cap_day AS day,
                    count(*) FILTER (WHERE m.state NOT IN ('cancelled', 'failed')) AS surely,
                    -- What ended after it may have left keeps its place.
                    count(*) FILTER (WHERE m.state NOT IN ('cancelled', 'failed') OR m.posts > 0) AS at_most
               FROM followup.message AS m
              WHERE m.cap_day IS NOT NULL
              GROUP BY 1, 2, 3) AS h USING (account_id, assistant_id, day)
 WHERE coalesce(u.used, 0) NOT BETWEEN coalesce(h.surely, 0) AND coalesce(h.at_most, 0) + coalesce(u.gone, 0);
COMMENT ON VIEW followup.wrong_cap IS
    'For invariants() and whoever looks into what it found: days of an assistant whose used places are not those that its messages hold, or held when they were deleted.';
