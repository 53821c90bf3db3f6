-- What the engine's functions hand to the daemon, and small indexes that its view asks.
-- The engine's functions carry SET followup.quiet = 'on': their own writes need no NOTIFY, they answer what they planned.
GRANT SET ON PARAMETER followup.quiet TO followup_owner;
SET ROLE followup_owner;

CREATE TYPE followup.claim_row AS (
    account_id        bigint,
    message_id        bigint,
    verdict           followup.claim_verdict,
    due_at            timestamptz,             -- of claimed and moved: business time
    shard             integer,                 -- from here on: of claimed only
    epoch             bigint,
    attempts          integer,                 -- the key is fu/<account>/<message>/<attempts>
    posts             integer,                 -- this POST's number under that key
    kind              followup.message_kind,
    provider          text,
    recipient         text,
    from_name         text,
    from_address      text,
    reply_to          text,
    subject           text,                    -- templates
    body_text         text,
    body_html         text,
    merge_values      jsonb,                   -- tag -> value; unsubscribe_link is the daemon's to add
    rfc_message_id    text,                    -- with its <>
    in_reply_to       text,
    refs              text,                    -- oldest first, separated by blanks
    unsubscribe_token uuid,
    payload           jsonb);                  -- of alert and webhook
COMMENT ON TYPE followup.claim_row IS 'one row a message asked for; the C side reads the columns in this order';

-- The loader's view asks which accounts have anything paused; hardly any have.
CREATE INDEX account_paused ON followup.account (id) WHERE paused_at IS NOT NULL;
CREATE INDEX assistant_paused ON followup.assistant (account_id) WHERE paused_at IS NOT NULL;
CREATE INDEX sequence_paused ON followup.sequence (account_id) WHERE paused_at IS NOT NULL;
RESET ROLE;
