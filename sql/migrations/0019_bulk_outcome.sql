-- What became of a chunk of a bulk is one row, counted where it happens, not a row a lead.
SET ROLE followup_owner;
DROP FUNCTION IF EXISTS followup.bulk_act(followup.bulk, bigint[]);
DROP FUNCTION IF EXISTS followup.bulk_try(followup.bulk, bigint[], followup.bulk_lead[]);
DROP FUNCTION IF EXISTS followup.revert_leads(followup.bulk, followup.bulk_lead[]);
DROP FUNCTION IF EXISTS followup.revert_verdicts(bigint, text, followup.bulk_lead[]);
DROP TYPE followup.bulk_outcome;
CREATE TYPE followup.bulk_outcome AS (
    done       integer,
    left_alone jsonb,                   -- {reason: leads}: a skip_reason, with /sub_state beside one that has one; of an undo: see revert_verdicts; error; NULL: none
    before     followup.bulk_lead[],    -- of those done, as they were; not of an undo
    errors     jsonb);                  -- [{"lead_id", "error"}]; NULL: none
COMMENT ON TYPE followup.bulk_outcome IS 'what became of some leads of a bulk';
-- Start and restart lock in act_on_leads now, as the other actions do; open_conversations writes what was planned. It has another parameter.
DROP FUNCTION IF EXISTS followup.open_conversations(bigint, bigint[], followup.lead_action, bigint, bigint, timestamptz, followup.actor, text, boolean);
DROP FUNCTION IF EXISTS followup.act_on_leads(bigint, bigint[], followup.lead_action, bigint, bigint, timestamptz, followup.actor, text, boolean);
COMMENT ON TABLE followup.bulk_chunk IS 'the leads of a bulk, ascending, at most 2,500 a row (10,000 in older ones): one transaction each';
RESET ROLE;
