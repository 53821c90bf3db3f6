-- What providers' words, enhanced status codes and SMTP codes say about an address: an event for each row of both tables,
-- with the class that the providers' manuals and the RFCs give it (RFC 3463, 7372, 7505).
BEGIN;
SELECT plan(173);
CREATE SCHEMA t;
CREATE FUNCTION t.class(p_kind text, p_event jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT c.class || CASE WHEN c.alert THEN ' alert' ELSE '' END FROM followup.bounce_class(p_kind::followup.event_kind, p_event) AS c $$;

CREATE TABLE t.word (no integer GENERATED ALWAYS AS IDENTITY, provider_type text, kind text, event jsonb, class text);
INSERT INTO t.word (provider_type, kind, event, class) VALUES
    ('sendgrid', 'failed',  '{"reason": "Bounced Address"}', 'hard'),
    ('sendgrid', 'failed',  '{"reason": "Invalid"}', 'hard'),
    ('sendgrid', 'failed',  '{"reason": "Spam Reporting Address"}', 'complaint'),
    ('sendgrid', 'failed',  '{"reason": "Unsubscribed Address"}', 'unsubscribe'),
    ('sendgrid', 'failed',  '{"reason": "Spam Content (if Spam Checker app enabled)"}', 'block alert'),
    ('sendgrid', 'bounced', '{"type": "bounce", "classification": "Invalid Address"}', 'hard'),
    ('sendgrid', 'bounced', '{"type": "bounce", "classification": "Mailbox Unavailable"}', 'soft'),
    ('sendgrid', 'bounced', '{"type": "bounce", "classification": "Technical"}', 'soft'),
    ('sendgrid', 'bounced', '{"type": "bounce", "classification": "Technical Failure"}', 'soft'),
    ('sendgrid', 'bounced', '{"type": "bounce", "classification": "Frequency or Volume"}', 'soft'),
    ('sendgrid', 'bounced', '{"type": "bounce", "classification": "Frequency or Volume Too High"}', 'soft'),
    ('sendgrid', 'bounced', '{"type": "blocked", "classification": "Content"}', 'block alert'),
    ('sendgrid', 'bounced', '{"type": "blocked", "classification": "Reputation"}', 'block alert'),
    ('sendgrid', 'bounced', '{"type": "blocked"}', 'block alert'),
    ('sendgrid', 'bounced', '{"type": "bounce", "status": "5.1.1"}', 'hard'),
    ('sendgrid', 'bounced', '{"type": "bounce"}', 'unknown'),
    ('sendgrid', 'delayed', '{"reason": "450 4.2.1 later"}', 'soft'),
    ('mailgun',  'failed',  '{"severity": "permanent", "reason": "suppress-bounce"}', 'hard'),
    ('mailgun',  'failed',  '{"severity": "permanent", "reason": "suppress-complaint"}', 'complaint'),
    ('mailgun',  'failed',  '{"severity": "permanent", "reason": "suppress-unsubscribe"}', 'unsubscribe'),
    ('mailgun',  'bounced', '{"severity": "temporary", "reason": "espblock"}', 'soft'),
    ('mailgun',  'bounced', '{"severity": "permanent", "reason": "bounce"}', 'hard'),
    ('mailgun',  'bounced', '{"severity": "permanent", "reason": "old"}', 'soft'),
    ('mailgun',  'bounced', '{"severity": "permanent", "reason": "generic"}', 'soft'),
    ('mailgun',  'bounced', '{"severity": "permanent", "reason": "generic", "status": "5.7.26"}', 'block alert'),
    ('mailgun',  'failed',  '{}', 'block alert'),
    ('mailgun',  'delayed', '{"severity": "temporary", "reason": "generic"}', 'soft'),
    ('mailgun',  'complained', '{}', 'complaint'),
    ('mailgun',  'unsubscribed', '{}', 'unsubscribe'),
    ('postmark', 'bounced', '{"type": "HardBounce"}', 'hard'),
    ('postmark', 'bounced', '{"type": "BadEmailAddress"}', 'hard'),
    ('postmark', 'bounced', '{"type": "ManuallyDeactivated"}', 'hard'),
    ('postmark', 'bounced', '{"type": "AddressChange"}', 'hard'),
    ('postmark', 'bounced', '{"type": "Transient"}', 'soft'),
    ('postmark', 'bounced', '{"type": "DnsError"}', 'soft'),
    ('postmark', 'bounced', '{"type": "SoftBounce"}', 'soft'),
    ('postmark', 'bounced', '{"type": "Unknown"}', 'soft'),
    ('postmark', 'bounced', '{"type": "Blocked"}', 'block alert'),
    ('postmark', 'bounced', '{"type": "DMARCPolicy"}', 'block alert'),
    ('postmark', 'bounced', '{"type": "SpamNotification"}', 'block alert'),
    ('postmark', 'bounced', '{"type": "VirusNotification"}', 'block alert'),
    ('postmark', 'bounced', '{"type": "SpamComplaint"}', 'complaint'),
    ('postmark', 'bounced', '{"type": "Unsubscribe"}', 'unsubscribe'),
    ('postmark', 'unsubscribed', '{"reason": "ManualSuppression"}', 'unsubscribe'),
    ('postmark', 'delayed', '{"type": "Transient"}', 'soft'),
    ('postmark', 'complained', '{"type": "SpamComplaint"}', 'complaint'),
    ('postmark', 'bounced', '{"type": "AutoResponder"}', 'auto_reply'),
    ('postmark', 'bounced', '{"type": "ChallengeVerification"}', 'auto_reply'),
    ('ses',      'bounced', '{"type": "Permanent", "subtype": "General"}', 'hard'),
    ('ses',      'bounced', '{"type": "Permanent", "subtype": "NoEmail"}', 'hard'),
    ('ses',      'bounced', '{"type": "Permanent", "subtype": "Suppressed"}', 'hard'),
    ('ses',      'bounced', '{"type": "Permanent", "subtype": "OnAccountSuppressionList"}', 'hard'),
    ('ses',      'bounced', '{"type": "Transient", "subtype": "General"}', 'soft'),
    ('ses',      'bounced', '{"type": "Transient", "subtype": "MailboxFull"}', 'soft'),
    ('ses',      'bounced', '{"type": "Transient", "subtype": "MessageTooLarge"}', 'soft'),
    ('ses',      'bounced', '{"type": "Transient", "subtype": "ContentRejected"}', 'block alert'),
    ('ses',      'bounced', '{"type": "Transient", "subtype": "AttachmentRejected"}', 'block alert'),
    ('ses',      'bounced', '{"type": "Undetermined", "subtype": "Undetermined"}', 'soft'),
    ('ses',      'failed',  '{"type": "Reject", "reason": "Bad content"}', 'block alert'),
    ('ses',      'complained', '{"type": "not-spam"}', 'auto_reply'),
    ('ses',      'complained', '{"type": "abuse"}', 'complaint'),
    ('ses',      'complained', '{"subtype": "OnAccountSuppressionList"}', 'complaint'),
    ('ses',      'unsubscribed', '{}', 'unsubscribe'),
    ('ses',      'delayed', '{"type": "MailboxFull"}', 'soft'),
    ('resend',   'bounced', '{"type": "Permanent", "subtype": "General"}', 'hard'),
    ('resend',   'bounced', '{"type": "Transient"}', 'soft'),
    ('resend',   'bounced', '{"type": "Undetermined"}', 'soft'),
    ('resend',   'failed',  '{"type": "OnAccountSuppressionList"}', 'hard'),
    ('resend',   'failed',  '{"reason": "reached_daily_quota"}', 'block alert'),
    ('generic',  'bounced', '{"type": "hard"}', 'hard'),
    ('generic',  'bounced', '{"type": "soft"}', 'soft'),
    ('generic',  'bounced', '{"type": "block"}', 'block alert'),
    ('resend',   'delayed', '{}', 'soft'),
    ('resend',   'complained', '{}', 'complaint'),
    ('sendgrid', 'unsubscribed', '{}', 'unsubscribe'),
    ('sendgrid', 'complained', '{}', 'complaint'),
    ('generic',  'unsubscribed', '{}', 'unsubscribe');
SELECT is(t.class(w.kind, w.event || jsonb_build_object('provider_type', w.provider_type)), w.class,
          format('%s %s %s', w.provider_type, w.kind, w.event))
  FROM t.word AS w ORDER BY w.no;
SELECT is_empty($$ SELECT r.* FROM followup.bounce_rule AS r WHERE NOT EXISTS (
    SELECT FROM t.word AS w WHERE (r.provider_type IN (w.provider_type, 'any'))
       AND lower((w.event || jsonb_build_object('kind', w.kind))::text)::jsonb @> r.match) $$, 'no rule is without an event of its own here');

-- Codes: with 4 and with 5 before them
CREATE TABLE t.code (code text, class_4 text, class_5 text);
INSERT INTO t.code VALUES
    ('1.1', 'hard', 'hard'), ('1.2', 'hard', 'hard'), ('1.3', 'hard', 'hard'), ('1.6', 'hard', 'hard'), ('1.10', 'hard', 'hard'),
    ('1.7', 'block alert', 'block alert'), ('1.8', 'block alert', 'block alert'), ('2.1', 'soft', 'hard'), ('2.2', 'soft', 'soft'),
    ('2.3', 'block alert', 'block alert'), ('3.4', 'block alert', 'block alert'), ('4.1', 'soft', 'soft'), ('4.4', 'soft', 'soft'),
    ('4.7', 'soft', 'soft'), ('5.0', 'soft', 'soft alert'), ('5.4', 'soft', 'soft alert'), ('6.0', 'block alert', 'block alert'),
    ('6.3', 'block alert', 'block alert'), ('7.1', 'block alert', 'block alert'), ('7.20', 'block alert', 'block alert'),
    ('7.21', 'block alert', 'block alert'), ('7.22', 'block alert', 'block alert'), ('7.23', 'block alert', 'block alert'),
    ('7.24', 'block alert', 'block alert'), ('7.25', 'block alert', 'block alert'), ('7.26', 'block alert', 'block alert'),
    ('7.27', 'block alert', 'block alert'), ('7.0', 'block alert', 'block alert'), ('7.99', 'block alert', 'block alert'),
    ('0.0', 'soft', 'hard'), ('2.0', 'soft', 'hard'), ('3.0', 'soft', 'hard'),
    ('0.7', 'soft', 'hard'), ('1.99', 'soft', 'hard'), ('2.99', 'soft', 'hard'), ('3.99', 'soft', 'hard'), ('4.99', 'soft', 'soft');
SELECT is(t.class('bounced', jsonb_build_object('provider_type', 'sendgrid', 'type', 'bounce', 'status', x.status)), x.class, x.status)
  FROM t.code AS c CROSS JOIN LATERAL (VALUES ('4.' || c.code, c.class_4), ('5.' || c.code, c.class_5)) AS x (status, class);
SELECT is(t.class('bounced', jsonb_build_object('smtp_code', c.code)), c.class, 'SMTP ' || c.code)
  FROM (VALUES ('421', 'soft'), ('450', 'soft'), ('452', 'soft'), ('550', 'hard'), ('551', 'hard'), ('552', 'soft'), ('553', 'hard'),
               ('554', 'block alert'), ('521', 'unknown')) AS c (code, class);
SELECT is_empty($$ SELECT s.code FROM followup.status_rule AS s
    WHERE s.code LIKE 'x.%' AND substr(s.code, 3) NOT IN (SELECT c.code FROM t.code AS c)
      AND NOT EXISTS (SELECT FROM t.code AS c WHERE s.code ~ '^x\.\d+$' AND c.code LIKE substr(s.code, 3) || '.%'
                         AND NOT EXISTS (SELECT FROM followup.status_rule AS o WHERE o.code = 'x.' || c.code)) $$,
    'no code is without an event of its own here');

-- Words and codes together, and codes in running text
SELECT is(t.class('bounced', e::jsonb), class, why) FROM (VALUES
    ('{"provider_type": "sendgrid", "type": "blocked", "status": "5.2.2", "reason": "552 5.2.2 mailbox full"}', 'soft', 'a clear code is stronger than "blocked"'),
    ('{"provider_type": "sendgrid", "type": "blocked", "status": "5.0.0"}', 'block alert', 'a vague one is not'),
    ('{"provider_type": "sendgrid", "type": "bounce", "reason": "550 5.1.1 no such user"}', 'hard', 'a code in the reason'),
    ('{"provider_type": "sendgrid", "type": "bounce", "detail": "smtp; 550-5.7.1 not for you"}', 'block alert', 'a code in the detail'),
    ('{"provider_type": "sendgrid", "type": "bounce", "reason": "550 no such user"}', 'hard', 'an SMTP code before the reason'),
    ('{"provider_type": "sendgrid", "type": "bounce", "reason": "refused by 5.1.1.7"}', 'unknown', 'an IP address is no code'),
    ('{"provider_type": "sendgrid", "type": "bounce", "reason": "called 550 times"}', 'unknown', 'nor is a number inside a sentence'),
    ('{"provider_type": "sendgrid", "status": "2.0.0"}', 'unknown', 'success is no reason'),
    ('{"provider_type": "nobody", "type": "HardBounce"}', 'unknown', 'another provider''s words say nothing'),
    ('{}', 'unknown', 'nothing at all')) AS x (e, class, why);
SELECT is(t.class('bounced', NULL), 'unknown', 'an event without a payload');
SELECT * FROM finish();
ROLLBACK;
