CREATE OR REPLACE FUNCTION followup.judge_lead_rows(
    p_account bigint, p_rows jsonb, p_duplicates text, p_actor followup.actor, p_reassigns boolean)
RETURNS followup.lead_import[]
LANGUAGE sql STABLE AS $$
    WITH given AS MATERIALIZED (
        SELECT coalesce((r.o ->> 'line')::integer, r.number::integer) AS line, r.number, pg_catalog.btrim(r.o ->> 'email') AS email,
               nullif(pg_catalog.btrim(r.o ->> 'external_id'), '') AS external_id,
               nullif(pg_catalog.btrim(r.o ->> 'first_name'), '') AS first_name,
               nullif(pg_catalog.btrim(r.o ->> 'last_name'), '') AS last_name,
               nullif(pg_catalog.btrim(r.o ->> 'company'), '') AS company,
               nullif(pg_catalog.btrim(r.o ->> 'country'), '') AS country,
               nullif(pg_catalog.btrim(r.o ->> 'timezone'), '') AS timezone,
               nullif(pg_catalog.btrim(r.o ->> 'rep_email'), '') AS rep_email,
               coalesce(r.o -> 'fields', '{}') AS fields
          FROM pg_catalog.jsonb_array_elements(p_rows) WITH ORDINALITY AS r (o, number)),
    known AS MATERIALIZED (
        SELECT g.*, l.id AS lead_id, l.rep_id AS has_rep_id, u.id AS rep_id, z.name AS zone,
               -- An address of an earlier line of the same import: here, or written by this very transaction.
               pg_catalog.min(g.line) OVER (PARTITION BY pg_catalog.lower(g.email) ORDER BY g.number) AS first_line,
               l.xmin = pg_catalog.pg_current_xact_id()::xid AS written_now,
               pg_catalog.row_number() OVER (PARTITION BY pg_catalog.lower(g.email) ORDER BY g.number) AS nth,
               pg_catalog.row_number() OVER (PARTITION BY g.external_id ORDER BY g.number) AS nth_external,
               x.id AS external_lead
          FROM given AS g
          LEFT JOIN followup.lead AS l ON l.account_id = p_account AND pg_catalog.lower(l.email) = pg_catalog.lower(g.email)
          LEFT JOIN followup.lead AS x ON x.account_id = p_account AND x.external_id = g.external_id
          LEFT JOIN followup.app_user AS u ON u.account_id = p_account AND pg_catalog.lower(u.email) = pg_catalog.lower(g.rep_email)
          LEFT JOIN followup.timezone AS z ON z.key = pg_catalog.lower(g.timezone)),
    judged AS (
        SELECT k.*, CASE
               WHEN followup.address_complaint(k.email) IS NOT NULL THEN 'email: ' || followup.address_complaint(k.email)
               WHEN k.nth > 1 AND NOT (p_duplicates = 'skip' AND k.lead_id IS NOT NULL AND NOT k.written_now) THEN pg_catalog.format('email: line %s has the same address', k.first_line)
               WHEN k.written_now THEN 'email: an earlier line has the same address'
               WHEN k.first_name ~ '[[:cntrl:]]' THEN 'first_name: holds a line break or another control character'
               WHEN k.last_name ~ '[[:cntrl:]]' THEN 'last_name: holds a line break or another control character'
               WHEN k.company ~ '[[:cntrl:]]' THEN 'company: holds a line break or another control character'
               WHEN k.country ~ '[[:cntrl:]]' THEN 'country: holds a line break or another control character'
               WHEN greatest(pg_catalog.length(k.first_name), pg_catalog.length(k.last_name),
                             pg_catalog.length(k.company), pg_catalog.length(k.external_id)) > 200
                   THEN 'a name, company or external_id is longer than 200 characters'
               WHEN pg_catalog.length(k.country) > 100 THEN 'country: is longer than 100 characters'
               WHEN pg_catalog.jsonb_typeof(k.fields) <> 'object' THEN 'fields: is no JSON object'
               WHEN k.lead_id IS NOT NULL AND p_duplicates = 'refuse' THEN 'email: is a lead already'
               WHEN k.lead_id IS NOT NULL AND p_duplicates = 'update' AND NOT followup.is_own(p_actor, k.has_rep_id)
                   THEN 'email: is a lead of somebody else'
               WHEN k.lead_id IS NOT NULL AND p_duplicates = 'update' AND NOT p_reassigns AND k.rep_id <> coalesce(k.has_rep_id, 0)
                   THEN 'rep_email: is not the lead''s representative, and reassign is not permitted'
               WHEN k.external_lead IS DISTINCT FROM k.lead_id AND k.external_lead IS NOT NULL
                   THEN 'external_id: another lead has it'
               WHEN k.external_id IS NOT NULL AND k.nth_external > 1 THEN 'external_id: an earlier line has it'
               END AS refusal,
               pg_catalog.concat_ws('; ',
                   CASE WHEN k.timezone IS NOT NULL AND k.zone IS NULL
                        THEN pg_catalog.format('timezone: "%s" is unknown, the account''s is used', pg_catalog.left(k.timezone, 60)) END,
                   CASE WHEN k.rep_email IS NOT NULL AND k.rep_id IS NULL
                        THEN pg_catalog.format('rep_email: no user has %s, the lead %s', pg_catalog.left(k.rep_email, 100),
                                              CASE WHEN k.has_rep_id IS NULL THEN 'has no representative' ELSE 'keeps its own' END) END)
                   AS remark
          FROM known AS k)
    SELECT coalesce(pg_catalog.array_agg(ROW(j.line, j.email, j.external_id, j.first_name, j.last_name, j.company, j.country,
                                             j.zone, j.rep_id, j.fields, j.lead_id,
                                             CASE WHEN j.refusal IS NOT NULL THEN 'refused'
                                                  WHEN j.lead_id IS NULL THEN 'imported'
                                                  WHEN p_duplicates = 'skip' THEN 'skipped'
                                                  ELSE 'updated' END,
                                             coalesce(j.refusal, CASE WHEN j.lead_id IS NOT NULL AND p_duplicates = 'skip'
                                                                      THEN 'email: is a lead already'
                                                                      ELSE nullif(j.remark, '') END))::followup.lead_import
                                         ORDER BY j.number), '{}')
      FROM judged AS j
$$;
COMMENT ON FUNCTION followup.judge_lead_rows(bigint, jsonb, text, followup.actor, boolean) IS
    'What import_leads would make of each row, nothing written: outcome, refusal or remark, the lead that has the address, the zone and representative found. p_reassigns: the actor may give a lead to another representative. The caller has locked the leads that may be updated.';
