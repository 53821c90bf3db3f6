-- A line of an import on its way: what was read, then what became of it.
SET ROLE followup_owner;
CREATE TYPE followup.lead_import AS (
    line        integer,
    email       text,
    external_id text,
    first_name  text,
    last_name   text,
    company     text,
    country     text,
    timezone    text,    -- as the server writes it; NULL: none, or one it does not know
    rep_id      bigint,
    fields      jsonb,
    lead_id     bigint,  -- of the lead that has this address already, then of the one written
    outcome     text,    -- imported | updated | skipped | refused
    reason      text);   -- of a refusal; else a remark
COMMENT ON TYPE followup.lead_import IS 'a line of an import: what was read, and what became of it';
RESET ROLE;
