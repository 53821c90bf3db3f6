-- What a bounce means, as data; what became of each; how a soft one is tried again; when bounces pause an account.
SET ROLE followup_owner;

CREATE TYPE followup.bounce_kind AS ENUM ('hard', 'soft', 'block', 'complaint', 'unsubscribe', 'auto_reply', 'unknown');
COMMENT ON TYPE followup.bounce_kind IS
    'hard: the address is dead; soft: later, perhaps; block: the sender''s or the content''s fault, the address is good; complaint, unsubscribe: never again; auto_reply: no bounce at all; unknown: nobody can say';

CREATE TABLE followup.bounce_rule (
    provider_type text NOT NULL,
    position      integer NOT NULL,
    match         jsonb NOT NULL CHECK (jsonb_typeof(match) = 'object' AND match <> '{}'),
    class         followup.bounce_kind NOT NULL,
    after_status  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (provider_type, position)
);
COMMENT ON TABLE followup.bounce_rule IS
    'what a provider''s own words say about an event (providers'' manuals); the first that matches counts. The daemon''s: seeded anew by each migrate';
COMMENT ON COLUMN followup.bounce_rule.provider_type IS 'sendgrid, mailgun, postmark, ses, resend, generic; any: asked after those of the type';
COMMENT ON COLUMN followup.bounce_rule.match IS 'fields of the typed event (kind, type, subtype, reason, classification, severity) that must have these values, all in lower case';
COMMENT ON COLUMN followup.bounce_rule.after_status IS 'weaker than an enhanced status code that is clear, stronger than one that is vague';

CREATE TABLE followup.status_rule (
    code    text PRIMARY KEY CHECK (code ~ '^(x\.[0-9]{1,3}(\.[0-9]{1,3})?|[45]([0-9]{2}|yz))$'),
    class_4 followup.bounce_kind,
    class_5 followup.bounce_kind,
    vague   boolean NOT NULL DEFAULT false,
    alert_5 boolean NOT NULL DEFAULT false,
    meaning text NOT NULL
);
COMMENT ON TABLE followup.status_rule IS
    'enhanced status codes (RFC 3463, 7372, 7505) without their first digit, which is 4 or 5: x.1.1, or x.1 for every other detail of a subject; and for mail without one SMTP codes: 550, 4yz';
COMMENT ON COLUMN followup.status_rule.vague IS 'it says little: a provider''s own words count more';
COMMENT ON COLUMN followup.status_rule.alert_5 IS 'a person should see a permanent one';

CREATE TABLE followup.bounce (
    account_id  bigint NOT NULL,
    message_id  bigint NOT NULL,
    lead_id     bigint NOT NULL,
    class       followup.bounce_kind NOT NULL,
    alert       boolean NOT NULL,
    detail      text,
    sent_at     timestamptz,
    at          timestamptz NOT NULL,
    judged      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, message_id),
    FOREIGN KEY (account_id, message_id) REFERENCES followup.message ON DELETE CASCADE
);
COMMENT ON TABLE followup.bounce IS 'messages that came back, or were not sent because of their address or content; times are business time';
COMMENT ON COLUMN followup.bounce.sent_at IS 'of the message; NULL: it never left';
COMMENT ON COLUMN followup.bounce.judged IS 'the breaker on the account''s bounce rate has counted it';
CREATE INDEX bounce_at ON followup.bounce (account_id, at);
CREATE INDEX bounce_to_judge ON followup.bounce (account_id) WHERE NOT judged;

CREATE TABLE followup.bounce_schedule (
    account_id bigint REFERENCES followup.account ON DELETE CASCADE,
    bounce     integer NOT NULL CHECK (bounce BETWEEN 1 AND 20),
    wait       interval NOT NULL CHECK (wait > '0' AND wait <= '30 days')
);
COMMENT ON TABLE followup.bounce_schedule IS
    'how long after the first, second, ... soft bounce of a step it goes again; after the last it is not tried any more. An account with rows of its own has those alone, every other one the rows without account';
CREATE UNIQUE INDEX bounce_schedule_key ON followup.bounce_schedule (coalesce(account_id, 0), bounce);
INSERT INTO followup.bounce_schedule (account_id, bounce, wait)
VALUES (NULL, 1, '4 hours'), (NULL, 2, '24 hours'), (NULL, 3, '72 hours');

ALTER TABLE followup.account
    ADD COLUMN bounce_rate_messages integer NOT NULL DEFAULT 100 CHECK (bounce_rate_messages > 0),
    ADD COLUMN bounces_counted_from timestamptz,
    ADD COLUMN paused_reason        text;
COMMENT ON COLUMN followup.account.bounce_rate_limit IS 'a higher share of bounces among the messages of 7 days pauses the account';
COMMENT ON COLUMN followup.account.bounce_rate_messages IS 'fewer messages than these do not pause it';
COMMENT ON COLUMN followup.account.bounces_counted_from IS 'business time of the last resume: what left before does not pause it again';
COMMENT ON COLUMN followup.account.paused_reason IS 'why, where the engine paused it; NULL: a person did, whose note is in activity';

CREATE TABLE followup.bounce_count (
    account_id bigint PRIMARY KEY REFERENCES followup.account ON DELETE CASCADE,
    sent       bigint NOT NULL,
    resumed_at timestamptz,
    counted_at timestamptz NOT NULL
);
COMMENT ON TABLE followup.bounce_count IS
    'messages of the last 7 days when the breaker last counted them, so that it need not count at each bounce of a large account; resumed_at: account.bounces_counted_from then; counted_at: real time';

ALTER TABLE followup.lead ADD COLUMN machine_opens integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN followup.lead.machine_opens IS 'opens of which the provider says that no person did them; not in opens';

CREATE TABLE followup.webhook_retry (
    provider_type text NOT NULL,
    kinds         text NOT NULL,
    retries_for   interval NOT NULL,
    PRIMARY KEY (provider_type, kinds)
);
COMMENT ON TABLE followup.webhook_retry IS
    'for how long a provider repeats a webhook that was not answered; what it tells in a longer time of ours away is lost. Operators may correct it; migrate adds what is missing';
COMMENT ON COLUMN followup.webhook_retry.kinds IS 'all, or the one kind of event that differs';

CREATE TABLE followup.inbox_beat (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    beat_at timestamptz NOT NULL
) WITH (fillfactor = 10);
COMMENT ON TABLE followup.inbox_beat IS 'when somebody last applied the inbox (apply_inbox), at most 10 s old while a daemon is there; real time';

CREATE TABLE followup.inbox_gap (
    from_at  timestamptz PRIMARY KEY,
    until_at timestamptz NOT NULL
);
COMMENT ON TABLE followup.inbox_gap IS 'real times in which no daemon received webhooks, of a minute and longer; kept for 30 days';

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['bounce', 'bounce_count'] LOOP
        EXECUTE format('ALTER TABLE followup.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY account ON followup.%I TO followup_app '
                       'USING (account_id = current_setting(''followup.account'')::bigint)', t);
        EXECUTE format('CREATE POLICY every_account ON followup.%I TO followup_admin, followup_engine USING (true)', t);
    END LOOP;
END
$$;
ALTER TABLE followup.bounce_schedule ENABLE ROW LEVEL SECURITY;
CREATE POLICY account_reads ON followup.bounce_schedule FOR SELECT TO followup_app
    USING (account_id IS NULL OR account_id = current_setting('followup.account')::bigint);
CREATE POLICY account_writes ON followup.bounce_schedule TO followup_app
    USING (account_id = current_setting('followup.account')::bigint);
CREATE POLICY every_account ON followup.bounce_schedule TO followup_admin, followup_engine USING (true);
GRANT SELECT ON followup.bounce_rule, followup.status_rule, followup.bounce, followup.bounce_schedule, followup.webhook_retry,
    followup.inbox_beat, followup.inbox_gap TO followup_engine, followup_app, followup_admin;
GRANT SELECT ON followup.bounce_count TO followup_engine, followup_admin;
GRANT INSERT, UPDATE, DELETE ON followup.bounce_schedule TO followup_app, followup_admin;
GRANT INSERT, UPDATE, DELETE ON followup.webhook_retry TO followup_admin;

-- Their arguments or answers are others now; sql/functions has them.
DROP FUNCTION IF EXISTS followup.apply_event(bigint, bigint, followup.event_kind, timestamptz, text);
DROP FUNCTION IF EXISTS followup.bounce_effect(bigint, bigint, text);
DROP FUNCTION IF EXISTS followup.bounce_retry(bigint, bigint, followup.lead_plan[]);
DROP FUNCTION IF EXISTS followup.reactivations(bigint, bigint[], timestamptz, followup.actor, text);

CREATE TYPE followup.inbox_item AS (
    account_id  bigint,
    source      text,
    event_id    text,
    kind        followup.event_kind,
    occurred_at timestamptz,
    received_at timestamptz,
    attempts    integer,
    event       jsonb,
    message_id  bigint,     -- of ours, whom it is about
    lead_id     bigint);
COMMENT ON TYPE followup.inbox_item IS 'one event on its way from the inbox to its effect';
RESET ROLE;
