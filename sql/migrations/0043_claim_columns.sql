-- What merge tags stand for are columns of the claim's answer, as the tables have them; the lead's own fields are sent as they are
-- stored. One object of all of them cost PostgreSQL a fifth of a claim to build, and the daemon its reading.
DROP FUNCTION IF EXISTS followup.claim_messages(uuid, integer[], bigint[], bigint[], bigint[], text);
DROP FUNCTION IF EXISTS followup.claim_in_doubt(uuid, integer[], bigint[], text[], bigint[], bigint, text, integer);
DROP FUNCTION IF EXISTS followup.claim_in_doubt(uuid, integer[], bigint[], text[], bigint[], integer[], bigint, text);
DROP VIEW IF EXISTS followup.message_to_claim;      -- sql/views makes it anew
DROP TYPE followup.claim_row;
SET ROLE followup_owner;
CREATE TYPE followup.claim_row AS (
    account_id          bigint,
    message_id          bigint,
    verdict             followup.claim_verdict,
    due_at              timestamptz,            -- of claimed and moved: business time
    shard               integer,                -- from here on: of claimed only
    epoch               bigint,
    attempts            integer,                -- the key is fu/<account>/<message>/<attempts>
    posts               integer,                -- this POST's number under that key
    kind                followup.message_kind,
    provider            text,
    recipient           text,
    from_name           text,
    from_address        text,
    reply_to            text,
    subject             text,                   -- templates
    body_text           text,
    body_html           text,
    fields              jsonb,                  -- the lead's own tags -> values; the thirteen below come before them
    first_name          text,
    last_name           text,
    company             text,
    country             text,
    email               text,
    assistant_name      text,
    assistant_title     text,
    assistant_signature text,
    assistant_email     text,
    rep_name            text,
    rep_email           text,
    rep_phone           text,
    postal_address      text,
    rfc_message_id      text,                   -- with its <>
    in_reply_to         text,
    refs                text,                   -- oldest first, separated by blanks
    unsubscribe_token   uuid,
    payload             jsonb);                 -- of alert and webhook
COMMENT ON TYPE followup.claim_row IS 'one row a message asked for; the C side reads the columns in this order. Tags of templates: the columns from first_name to postal_address (rep_name is rep.name, assistant_title assistant.title), unsubscribe_link, which is the daemon''s to add, and fields';
RESET ROLE;
