-- What providers' words about bounces mean, and enhanced status codes. Source: the providers' manuals (SendGrid event webhook
-- and bounce classifications, Mailgun tracking failures, Postmark bounce types, Amazon SES notification contents, Resend
-- webhooks), RFC 3463, RFC 7372, RFC 7505. Where a manual leaves the choice open, it is ours: a lead is rather kept.
SET ROLE followup_owner;
DELETE FROM followup.bounce_rule;
INSERT INTO followup.bounce_rule (provider_type, position, match, class, after_status)
SELECT v.provider_type, row_number() OVER (PARTITION BY v.provider_type ORDER BY v.no), v.match::jsonb, v.class::followup.bounce_kind,
       v.after_status
  FROM (SELECT row_number() OVER () AS no, w.* FROM (VALUES
    -- dropped: not sent, because of what SendGrid knows of the address; any other drop is the sender's doing
    ('sendgrid', '{"kind": "failed", "reason": "bounced address"}',                'hard',        false),
    ('sendgrid', '{"kind": "failed", "reason": "invalid"}',                        'hard',        false),
    ('sendgrid', '{"kind": "failed", "reason": "spam reporting address"}',         'complaint',   false),
    ('sendgrid', '{"kind": "failed", "reason": "unsubscribed address"}',           'unsubscribe', false),
    ('sendgrid', '{"kind": "failed"}',                                             'block',       false),
    ('sendgrid', '{"classification": "invalid address"}',                          'hard',        false),
    ('sendgrid', '{"classification": "mailbox unavailable"}',                      'soft',        false),
    ('sendgrid', '{"classification": "technical"}',                                'soft',        false),
    ('sendgrid', '{"classification": "technical failure"}',                        'soft',        false),
    ('sendgrid', '{"classification": "frequency or volume"}',                      'soft',        false),
    ('sendgrid', '{"classification": "frequency or volume too high"}',             'soft',        false),
    ('sendgrid', '{"classification": "content"}',                                  'block',       false),
    ('sendgrid', '{"classification": "reputation"}',                               'block',       false),
    ('sendgrid', '{"type": "blocked"}',                                            'block',       true),
    ('mailgun',  '{"reason": "suppress-bounce"}',                                  'hard',        false),
    ('mailgun',  '{"reason": "suppress-complaint"}',                               'complaint',   false),
    ('mailgun',  '{"reason": "suppress-unsubscribe"}',                             'unsubscribe', false),
    ('mailgun',  '{"severity": "temporary"}',                                      'soft',        false),
    ('mailgun',  '{"severity": "permanent", "reason": "bounce"}',                  'hard',        false),
    ('mailgun',  '{"reason": "old"}',                                              'soft',        false),
    ('mailgun',  '{"reason": "generic"}',                                          'soft',        true),
    ('mailgun',  '{"kind": "failed"}',                                             'block',       true),    -- rejected
    ('postmark', '{"type": "hardbounce"}',                                         'hard',        false),
    ('postmark', '{"type": "bademailaddress"}',                                    'hard',        false),
    ('postmark', '{"type": "manuallydeactivated"}',                                'hard',        false),
    ('postmark', '{"type": "addresschange"}',                                      'hard',        false),
    ('postmark', '{"type": "transient"}',                                          'soft',        false),
    ('postmark', '{"type": "dnserror"}',                                           'soft',        false),
    ('postmark', '{"type": "softbounce"}',                                         'soft',        false),
    ('postmark', '{"type": "unknown"}',                                            'soft',        false),
    ('postmark', '{"type": "blocked"}',                                            'block',       false),
    ('postmark', '{"type": "dmarcpolicy"}',                                        'block',       false),
    ('postmark', '{"type": "spamnotification"}',                                   'block',       false),
    ('postmark', '{"type": "virusnotification"}',                                  'block',       false),
    ('postmark', '{"type": "spamcomplaint"}',                                      'complaint',   false),
    ('postmark', '{"type": "unsubscribe"}',                                        'unsubscribe', false),
    ('postmark', '{"reason": "manualsuppression"}',                                'unsubscribe', false),
    ('postmark', '{"type": "autoresponder"}',                                      'auto_reply',  false),
    ('postmark', '{"type": "challengeverification"}',                              'auto_reply',  false),
    ('ses',      '{"type": "permanent", "subtype": "general"}',                    'hard',        false),
    ('ses',      '{"type": "permanent", "subtype": "noemail"}',                    'hard',        false),
    ('ses',      '{"type": "permanent", "subtype": "suppressed"}',                 'hard',        false),
    ('ses',      '{"type": "permanent", "subtype": "onaccountsuppressionlist"}',   'hard',        false),
    ('ses',      '{"type": "transient", "subtype": "general"}',                    'soft',        false),
    ('ses',      '{"type": "transient", "subtype": "mailboxfull"}',                'soft',        false),
    ('ses',      '{"type": "transient", "subtype": "messagetoolarge"}',            'soft',        false),
    ('ses',      '{"type": "transient", "subtype": "contentrejected"}',            'block',       false),
    ('ses',      '{"type": "transient", "subtype": "attachmentrejected"}',         'block',       false),
    ('ses',      '{"type": "undetermined"}',                                       'soft',        false),
    ('ses',      '{"kind": "failed"}',                                             'block',       false),   -- Reject
    ('ses',      '{"kind": "complained", "type": "not-spam"}',                     'auto_reply',  false),   -- a complaint taken back
    ('ses',      '{"kind": "complained"}',                                         'complaint',   false),
    ('resend',   '{"type": "permanent"}',                                          'hard',        false),
    ('resend',   '{"type": "transient"}',                                          'soft',        false),
    ('resend',   '{"type": "undetermined"}',                                       'soft',        false),
    ('resend',   '{"type": "onaccountsuppressionlist"}',                     'hard',        false),   -- email.suppressed
    ('resend',   '{"kind": "failed"}',                                             'block',       false),   -- email.failed
    ('generic',  '{"type": "hard"}',                                               'hard',        false),
    ('generic',  '{"type": "soft"}',                                               'soft',        false),
    ('generic',  '{"type": "block"}',                                              'block',       false),
    ('any',      '{"kind": "delayed"}',                                            'soft',        false),
    ('any',      '{"kind": "complained"}',                                         'complaint',   false),
    ('any',      '{"kind": "unsubscribed"}',                                       'unsubscribe', false)
  ) AS w (provider_type, match, class, after_status)) AS v;

DELETE FROM followup.status_rule;
INSERT INTO followup.status_rule (code, class_4, class_5, vague, alert_5, meaning) VALUES
    ('x.1.1',  'hard',  'hard',  false, false, 'bad destination mailbox'),
    ('x.1.2',  'hard',  'hard',  false, false, 'bad destination system'),
    ('x.1.3',  'hard',  'hard',  false, false, 'bad mailbox syntax'),
    ('x.1.6',  'hard',  'hard',  false, false, 'mailbox has moved'),
    ('x.1.7',  'block', 'block', false, false, 'bad sender address'),
    ('x.1.8',  'block', 'block', false, false, 'bad sender system'),
    ('x.1.10', 'hard',  'hard',  false, false, 'the domain takes no mail (null MX)'),
    ('x.2.1',  'soft',  'hard',  false, false, 'mailbox disabled'),
    ('x.2.2',  'soft',  'soft',  false, false, 'mailbox full'),
    ('x.2.3',  'block', 'block', false, false, 'message too long for the mailbox'),
    ('x.3.4',  'block', 'block', false, false, 'message too big for the system'),
    ('x.4.1',  'soft',  'soft',  false, false, 'no answer from the host'),
    ('x.4.4',  'soft',  'soft',  false, false, 'unable to route'),
    ('x.4.7',  'soft',  'soft',  false, false, 'delivery time expired'),
    ('x.7.1',  'block', 'block', false, false, 'not authorized, message refused'),
    ('x.7.20', 'block', 'block', false, false, 'no passing DKIM signature'),
    ('x.7.21', 'block', 'block', false, false, 'no acceptable DKIM signature'),
    ('x.7.22', 'block', 'block', false, false, 'no valid author-matched DKIM signature'),
    ('x.7.23', 'block', 'block', false, false, 'SPF validation failed'),
    ('x.7.24', 'block', 'block', false, false, 'SPF validation error'),
    ('x.7.25', 'block', 'block', false, false, 'reverse DNS validation failed'),
    ('x.7.26', 'block', 'block', false, false, 'several authentication checks failed'),
    ('x.7.27', 'block', 'block', false, false, 'the sender''s domain takes no mail (null MX)'),
    ('x.0.0',  'soft',  'hard',  true,  false, 'other'),
    ('x.2.0',  'soft',  'hard',  true,  false, 'other, of the mailbox'),
    ('x.3.0',  'soft',  'hard',  true,  false, 'other, of the mail system'),
    ('x.5',    'soft',  'soft',  false, true,  'protocol'),
    ('x.6',    'block', 'block', false, false, 'media or content'),
    ('x.7',    'block', 'block', false, false, 'security or policy'),
    -- A detail that nobody registered counts as the subject's "other" (RFC 3463, 2).
    ('x.0',    'soft',  'hard',  true,  false, 'other'),
    ('x.1',    'soft',  'hard',  true,  false, 'other, of the address'),
    ('x.2',    'soft',  'hard',  true,  false, 'other, of the mailbox'),
    ('x.3',    'soft',  'hard',  true,  false, 'other, of the mail system'),
    ('x.4',    'soft',  'soft',  true,  false, 'other, of network and routing'),
    ('4yz',    'soft',  NULL,    false, false, 'transient'),
    ('550',    NULL,    'hard',  false, false, 'mailbox unavailable'),
    ('551',    NULL,    'hard',  false, false, 'user not local'),
    ('552',    NULL,    'soft',  false, false, 'mailbox full'),
    ('553',    NULL,    'hard',  false, false, 'mailbox name not allowed'),
    ('554',    NULL,    'block', false, false, 'transaction failed');

INSERT INTO followup.webhook_retry (provider_type, kinds, retries_for) VALUES
    ('sendgrid', 'all',       '24 hours'),
    ('mailgun',  'all',       '7 hours 30 minutes'),    -- 5, 10, 15 min, 1, 2, 4 h
    ('mailgun',  'delivered', '0'),                     -- never repeated
    ('postmark', 'all',       '10 hours 21 minutes'),   -- 1, 5, 10, 10, 10, 15, 30 min, 1, 2, 6 h
    ('ses',      'all',       '1 minute'),              -- SNS: 3 times, 20 s apart, by default
    ('resend',   'all',       '27 hours 35 minutes')    -- 5 s, 5 min, 30 min, 2, 5, 10, 10 h
    ON CONFLICT DO NOTHING;
RESET ROLE;
