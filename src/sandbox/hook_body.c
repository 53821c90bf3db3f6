#include "hook_body.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADDRESS_BYTES 512

static void write_recipient(const struct message *m, char ret[ADDRESS_BYTES])
{
    size_t bytes;
    const char *address = message_address(m->to, &bytes);
    snprintf(ret, ADDRESS_BYTES, "%.*s", (int)bytes, address);
}

/* Takes the document; NULL: out of memory, or a text that is no UTF-8. */
static enum status add_json(struct buf *out, json_t *document)
{
    char *text = document != NULL ? json_dumps(document, JSON_COMPACT) : NULL;
    enum status st = text != NULL ? buf_text(out, text) : E_NOMEM;
    free(text);
    json_decref(document);
    return st;
}

/* What the lead's server said. */
static const char *bounce_words(const struct hook_about *a)
{
    return a->words != NULL ? a->words : "550 5.1.1 no such user here";
}

/* NULL: the words are somebody else's, and no provider finds a code in them. */
static const char *bounce_status(const struct hook_about *a)
{
    return a->words == NULL ? "5.1.1" : NULL;
}

/* ---- SendGrid ---- */

static enum status sendgrid_event(const struct hook_about *a, enum hook_kind kind, struct buf *out)
{
    static const char *const events[] = { "processed", "delivered", "bounce", "spamreport", "unsubscribe" };
    char email[ADDRESS_BYTES], id[API_ID_BYTES], message_id[API_ID_BYTES + 32], event_id[64], smtp_id[API_ID_BYTES];
    write_recipient(a->message, email);
    api_sendgrid.id(a->message, a->seq, id);
    api_rfc_message_id(a->message, a->seq, smtp_id);
    snprintf(message_id, sizeof message_id, "%s.filter0001.1.1-0", id);
    snprintf(event_id, sizeof event_id, "sandbox-%" PRId64 "-%d", a->seq, (int)kind);
    json_t *event = json_pack("{s:s,s:I,s:s,s:s,s:s,s:s,s:s*}", "email", email, "timestamp",
                              (json_int_t)(a->now_us / 1000000), "event", events[kind], "sg_event_id", event_id,
                              "sg_message_id", message_id, "smtp-id", smtp_id, "fu_id", a->message->fu_id);
    if (event != NULL && kind == HOOK_BOUNCED) {
        json_object_set_new(event, "type", json_string("bounce"));
        json_object_set_new(event, "reason", json_string(bounce_words(a)));
        json_object_set_new(event, "bounce_classification",
                            json_string(a->words == NULL ? "Invalid Address" : "Unclassified"));
        if (bounce_status(a) != NULL)
            json_object_set_new(event, "status", json_string(bounce_status(a)));
    }
    enum status st = add_json(out, json_pack("[o]", event));
    return st == OK ? buf_text(out, "\r\n") : st;
}

/* ---- Mailgun ---- */

struct mailgun_signature {
    char timestamp[24], token[51], signature[KEYS_SIGNATURE_BYTES];
};

static void mailgun_sign(const struct hook_about *a, struct mailgun_signature *ret)
{
    unsigned char bytes[25];
    char text[80];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(ret->token, sizeof ret->token, bytes, sizeof bytes);
    snprintf(ret->timestamp, sizeof ret->timestamp, "%" PRId64, a->now_us / 1000000);
    snprintf(text, sizeof text, "%s%s", ret->timestamp, ret->token);
    keys_sign_mailgun(a->keys, text, ret->signature);
}

static enum status mailgun_event(const struct hook_about *a, enum hook_kind kind, struct buf *out)
{
    static const char *const events[] = { "accepted", "delivered", "failed", "complained", "unsubscribed" };
    char email[ADDRESS_BYTES], message_id[API_ID_BYTES], id[64];
    struct mailgun_signature s;
    mailgun_sign(a, &s);
    write_recipient(a->message, email);
    api_rfc_message_id(a->message, a->seq, message_id);
    message_id[strcspn(message_id, ">")] = '\0';
    snprintf(id, sizeof id, "sandbox-%" PRId64 "-%d", a->seq, (int)kind);
    json_t *event = json_pack("{s:s,s:s,s:f,s:s,s:{s:s*},s:{s:{s:s}}}", "event", events[kind], "id", id, "timestamp",
                              (double)a->now_us / 1e6, "recipient", email, "user-variables", "fu_id", a->message->fu_id,
                              "message", "headers", "message-id", message_id + (message_id[0] == '<'));
    if (event != NULL && kind == HOOK_BOUNCED) {
        json_object_set_new(event, "severity", json_string("permanent"));
        json_object_set_new(event, "reason", json_string("bounce"));
        json_object_set_new(event, "delivery-status",
                            json_pack("{s:o*,s:s*,s:s,s:s}", "code", a->words == NULL ? json_integer(550) : NULL,
                                      "enhanced-code", bounce_status(a), "bounce-type", "hard", "message",
                                      bounce_words(a)));
    }
    return add_json(out, json_pack("{s:{s:s,s:s,s:s},s:o}", "signature", "timestamp", s.timestamp, "token", s.token,
                                   "signature", s.signature, "event-data", event));
}

/* ---- Postmark ---- */

static enum status postmark_event(const struct hook_about *a, enum hook_kind kind, struct buf *out)
{
    char email[ADDRESS_BYTES], id[API_ID_BYTES], at[40];
    const char *fu_id = a->message->fu_id;
    json_int_t number = (json_int_t)(a->seq * HOOK_KINDS + kind);
    write_recipient(a->message, email);
    api_uuid(a->message, a->seq, id);
    api_time(a->now_us, at, sizeof at);
    switch (kind) {
    case HOOK_DELIVERED:
        return add_json(out, json_pack("{s:s,s:s,s:s,s:s,s:s,s:{s:s*}}", "RecordType", "Delivery", "MessageID", id,
                                       "Recipient", email, "DeliveredAt", at, "Details", "250 ok", "Metadata", "fu_id",
                                       fu_id));
    case HOOK_BOUNCED:
        return add_json(out, json_pack("{s:s,s:I,s:s,s:i,s:s,s:s,s:s,s:s,s:b,s:{s:s*}}", "RecordType", "Bounce", "ID",
                                       number, "Type", "HardBounce", "TypeCode", 1, "MessageID", id, "Email", email,
                                       "BouncedAt", at, "Details", bounce_words(a), "Inactive", 1, "Metadata", "fu_id",
                                       fu_id));
    case HOOK_COMPLAINED:
        return add_json(out, json_pack("{s:s,s:I,s:s,s:i,s:s,s:s,s:s,s:{s:s*}}", "RecordType", "SpamComplaint", "ID",
                                       number, "Type", "SpamComplaint", "TypeCode", 100001, "MessageID", id, "Email",
                                       email, "BouncedAt", at, "Metadata", "fu_id", fu_id));
    case HOOK_UNSUBSCRIBED:
        return add_json(out, json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:{s:s*}}", "RecordType", "SubscriptionChange",
                                       "MessageID", id, "Recipient", email, "ChangedAt", at, "Origin", "Recipient",
                                       "SuppressSending", 1, "SuppressionReason", "ManualSuppression", "Metadata",
                                       "fu_id", fu_id));
    default:
        return E_INVALID;
    }
}

/* ---- SES through SNS ---- */

/* number: makes the envelope's id, with seq. Takes the document. */
static enum status sns_envelope(const struct hook_about *a, int number, json_t *message, struct buf *out)
{
    char *text = message != NULL ? json_dumps(message, JSON_COMPACT) : NULL, *signed_text = NULL;
    char id[64], at[40], signature[KEYS_SIGNATURE_BYTES];
    enum status st = E_NOMEM;
    snprintf(id, sizeof id, "00000000-0000-4000-9%03x-%012" PRIx64, (unsigned)number, (uint64_t)a->seq);
    api_time(a->now_us, at, sizeof at);
    int bytes = text == NULL ? -1
                             : asprintf(&signed_text,
                                        "Message\n%s\nMessageId\n%s\nTimestamp\n%s\nTopicArn\n" KEYS_TOPIC_ARN
                                        "\nType\nNotification\n",
                                        text, id, at);
    if (bytes >= 0) {
        keys_sign_sns(a->keys, signed_text, (size_t)bytes, signature);
        st = add_json(out, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "Type", "Notification", "MessageId", id,
                                     "TopicArn", KEYS_TOPIC_ARN, "Message", text, "Timestamp", at, "SignatureVersion",
                                     "2", "Signature", signature, "SigningCertURL", KEYS_CERTIFICATE_URL));
        free(signed_text);
    }
    free(text);
    json_decref(message);
    return st;
}

static json_t *ses_detail(const struct hook_about *a, enum hook_kind kind, const char *email, const char *at)
{
    char code[ADDRESS_BYTES];
    snprintf(code, sizeof code, "smtp; %s", bounce_words(a));
    switch (kind) {
    case HOOK_DELIVERED:
        return json_pack("{s:s,s:[s],s:s}", "timestamp", at, "recipients", email, "smtpResponse", "250 ok");
    case HOOK_BOUNCED:
        return json_pack("{s:s,s:s,s:s,s:[{s:s,s:s,s:s*,s:s}],s:s}", "bounceType", "Permanent", "bounceSubType",
                         "NoEmail", "feedbackId", "sandbox", "bouncedRecipients", "emailAddress", email, "action",
                         "failed", "status", bounce_status(a), "diagnosticCode", code, "timestamp", at);
    case HOOK_COMPLAINED:
        return json_pack("{s:[{s:s}],s:s,s:s,s:s}", "complainedRecipients", "emailAddress", email, "timestamp", at,
                         "feedbackId", "sandbox", "complaintFeedbackType", "abuse");
    case HOOK_UNSUBSCRIBED:
        return json_pack("{s:s,s:s,s:s,s:{s:b}}", "contactList", "sandbox", "timestamp", at, "source",
                         "UnsubscribeHeader", "newTopicPreferences", "unsubscribeAll", 1);
    default:
        return json_object();
    }
}

static enum status ses_event(const struct hook_about *a, enum hook_kind kind, struct buf *out)
{
    static const char *const events[][2] = { { "Send", "send" },
                                             { "Delivery", "delivery" },
                                             { "Bounce", "bounce" },
                                             { "Complaint", "complaint" },
                                             { "Subscription", "subscription" } };
    char email[ADDRESS_BYTES], id[API_ID_BYTES], at[40], region[SIGV4_REGION_BYTES];
    write_recipient(a->message, email);
    ses_region(a->message, region);
    api_ses.id(a->message, a->seq, id);
    api_time(a->now_us, at, sizeof at);
    json_t *tags = json_object();
    if (a->message->fu_id != NULL)
        json_object_set_new(tags, "fu_id", json_pack("[s]", a->message->fu_id));
    return sns_envelope(a, kind,
                        json_pack("{s:s,s:o,s:{s:s,s:s,s:s,s:o,s:[s],s:o}}", "eventType", events[kind][0],
                                  events[kind][1], ses_detail(a, kind, email, at), "mail", "messageId", id, "timestamp",
                                  at, "source", a->message->from, "sourceArn",
                                  json_sprintf("arn:aws:ses:%s:123456789012:identity/sandbox.example", region),
                                  "destination", email, "tags", tags),
                        out);
}

/* ---- Resend ---- */

static enum status resend_event(const struct hook_about *a, enum hook_kind kind, struct buf *out)
{
    static const char *const events[] = { "email.sent", "email.delivered", "email.bounced", "email.complained" };
    char email[ADDRESS_BYTES], id[API_ID_BYTES], at[40];
    if (kind == HOOK_UNSUBSCRIBED)
        return E_INVALID;
    write_recipient(a->message, email);
    api_uuid(a->message, a->seq, id);
    api_time(a->now_us, at, sizeof at);
    json_t *data =
        json_pack("{s:s,s:s,s:s,s:[s],s:s,s:{s:s*}}", "email_id", id, "created_at", at, "from", a->message->from, "to",
                  email, "subject", a->message->subject, "tags", "fu_id", a->message->fu_id);
    if (data != NULL && kind == HOOK_BOUNCED)
        json_object_set_new(
            data, "bounce",
            json_pack("{s:s,s:s,s:s}", "type", "Permanent", "subType", "General", "message", bounce_words(a)));
    return add_json(out, json_pack("{s:s,s:s,s:o}", "type", events[kind], "created_at", at, "data", data));
}

enum status hook_event_body(const struct hook_about *a, const struct api *api, enum hook_kind kind, struct buf *out)
{
    static enum status (*const bodies[API_NAMES])(const struct hook_about *, enum hook_kind, struct buf *) = {
        [API_SENDGRID] = sendgrid_event, [API_MAILGUN] = mailgun_event, [API_POSTMARK] = postmark_event,
        [API_SES] = ses_event,           [API_RESEND] = resend_event,
    };
    return bodies[api->which] != NULL ? bodies[api->which](a, kind, out) : E_INVALID;
}

/* ---- a lead's answer ---- */

struct reply {
    const char *text;
    char from[ADDRESS_BYTES], to[ADDRESS_BYTES], subject[1024], id[64], in_reply_to[API_ID_BYTES], date[64];
};

static enum status write_reply(const struct hook_about *a, const char *text, struct reply *ret)
{
    time_t seconds = (time_t)(a->now_us / 1000000);
    struct tm utc;
    size_t bytes;
    if (a->message->reply_to == NULL)
        return E_INVALID;
    const char *to = message_address(a->message->reply_to, &bytes);
    ret->text = text;
    write_recipient(a->message, ret->from);
    snprintf(ret->to, sizeof ret->to, "%.*s", (int)bytes, to);
    snprintf(ret->subject, sizeof ret->subject, "Re: %s", a->message->subject);
    snprintf(ret->id, sizeof ret->id, "<reply-%" PRId64 "@sandbox.invalid>", a->seq);
    api_rfc_message_id(a->message, a->seq, ret->in_reply_to);
    gmtime_r(&seconds, &utc);
    strftime(ret->date, sizeof ret->date, "%a, %d %b %Y %H:%M:%S +0000", &utc);
    return OK;
}

/* The header block of the mail. The subject goes as UTF-8, as mail programs with SMTPUTF8 do. */
static enum status add_headers(const struct reply *r, struct buf *out)
{
    return buf_format(out,
                      "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: %s\r\nIn-Reply-To: %s\r\n"
                      "References: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n",
                      r->from, r->to, r->subject, r->date, r->id, r->in_reply_to, r->in_reply_to);
}

#define BOUNDARY "sandbox-7c1f5e0d2b"

static enum status add_part(struct buf *out, const char *name, const char *value)
{
    return buf_format(out, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", name, value);
}

static enum status sendgrid_reply(const struct hook_about *a, const struct reply *r, struct buf *out)
{
    struct buf headers, envelope;
    (void)a;
    buf_init(&headers, 16384);
    buf_init(&envelope, 4096);
    enum status st = add_headers(r, &headers);
    if (st == OK)
        st = add_json(&envelope, json_pack("{s:[s],s:s}", "to", r->to, "from", r->from));
    const char *const parts[][2] = { { "headers", headers.data },
                                     { "to", r->to },
                                     { "from", r->from },
                                     { "subject", r->subject },
                                     { "text", r->text },
                                     { "envelope", envelope.data },
                                     { "charsets", "{\"to\":\"UTF-8\",\"from\":\"UTF-8\",\"subject\":\"UTF-8\","
                                                   "\"text\":\"UTF-8\"}" },
                                     { "SPF", "pass" },
                                     { "attachments", "0" } };
    for (size_t i = 0; st == OK && i < sizeof parts / sizeof parts[0]; i++)
        st = add_part(out, parts[i][0], parts[i][1]);
    buf_fini(&headers);
    buf_fini(&envelope);
    return st == OK ? buf_text(out, "--" BOUNDARY "--\r\n") : st;
}

static enum status add_encoded(struct buf *out, const char *name, const char *value)
{
    char *encoded = curl_easy_escape(NULL, value, 0);
    enum status st = encoded != NULL ? buf_format(out, "%s%s=%s", out->used > 0 ? "&" : "", name, encoded) : E_NOMEM;
    curl_free(encoded);
    return st;
}

static enum status mailgun_reply(const struct hook_about *a, const struct reply *r, struct buf *out)
{
    struct mailgun_signature s;
    json_t *headers =
        json_pack("[[s,s],[s,s],[s,s],[s,s],[s,s],[s,s]]", "From", r->from, "To", r->to, "Subject", r->subject,
                  "Message-Id", r->id, "In-Reply-To", r->in_reply_to, "References", r->in_reply_to);
    char *text = headers != NULL ? json_dumps(headers, JSON_COMPACT) : NULL;
    mailgun_sign(a, &s);
    const char *const fields[][2] = { { "recipient", r->to },      { "sender", r->from },
                                      { "from", r->from },         { "subject", r->subject },
                                      { "body-plain", r->text },   { "stripped-text", r->text },
                                      { "message-headers", text }, { "timestamp", s.timestamp },
                                      { "token", s.token },        { "signature", s.signature } };
    enum status st = text != NULL ? OK : E_NOMEM;
    for (size_t i = 0; st == OK && i < sizeof fields / sizeof fields[0]; i++)
        st = add_encoded(out, fields[i][0], fields[i][1]);
    free(text);
    json_decref(headers);
    return st;
}

static enum status postmark_reply(const struct hook_about *a, const struct reply *r, struct buf *out)
{
    char id[64];
    snprintf(id, sizeof id, "00000000-0000-4000-a000-%012" PRIx64, (uint64_t)a->seq);
    return add_json(out, json_pack("{s:s,s:{s:s,s:s},s:s,s:[{s:s,s:s}],s:s,s:s,s:s,s:s,s:s,s:s,"
                                   "s:[{s:s,s:s},{s:s,s:s},{s:s,s:s}]}",
                                   "From", r->from, "FromFull", "Email", r->from, "Name", "", "To", r->to, "ToFull",
                                   "Email", r->to, "Name", "", "OriginalRecipient", r->to, "Subject", r->subject,
                                   "MessageID", id, "Date", r->date, "TextBody", r->text, "StrippedTextReply", r->text,
                                   "Headers", "Name", "Message-ID", "Value", r->id, "Name", "In-Reply-To", "Value",
                                   r->in_reply_to, "Name", "References", "Value", r->in_reply_to));
}

static enum status ses_reply(const struct hook_about *a, const struct reply *r, struct buf *out)
{
    char id[64], at[40];
    struct buf mime;
    buf_init(&mime, 1u << 16);
    snprintf(id, sizeof id, "sandbox-reply-%" PRId64, a->seq);
    api_time(a->now_us, at, sizeof at);
    enum status st = add_headers(r, &mime);
    if (st == OK)
        st = buf_format(&mime, "\r\n%s\r\n", r->text);
    if (st == OK)
        st = sns_envelope(a, HOOK_KINDS,
                          json_pack("{s:s,s:{s:s,s:s,s:s,s:[s]},s:{s:[s],s:{s:s},s:{s:s},s:{s:s},s:{s:s,s:s}},s:s}",
                                    "notificationType", "Received", "mail", "messageId", id, "timestamp", at, "source",
                                    r->from, "destination", r->to, "receipt", "recipients", r->to, "spfVerdict",
                                    "status", "PASS", "dkimVerdict", "status", "PASS", "dmarcVerdict", "status", "PASS",
                                    "action", "type", "SNS", "encoding", "UTF8", "content", mime.data),
                          out);
    buf_fini(&mime);
    return st;
}

enum status hook_reply_body(const struct hook_about *a, const struct api *api, const char *text, struct buf *out,
                            const char **ret_type)
{
    static const struct {
        enum status (*add)(const struct hook_about *a, const struct reply *r, struct buf *out);
        const char *type;
    } bodies[API_NAMES] = {
        [API_SENDGRID] = { sendgrid_reply, "multipart/form-data; boundary=" BOUNDARY },
        [API_MAILGUN] = { mailgun_reply, "application/x-www-form-urlencoded" },
        [API_POSTMARK] = { postmark_reply, "application/json" },
        [API_SES] = { ses_reply, "text/plain; charset=UTF-8" },
    };
    struct reply r;
    enum status st = bodies[api->which].add != NULL ? write_reply(a, text, &r) : E_INVALID;
    if (st == OK)
        st = bodies[api->which].add(a, &r, out);
    *ret_type = bodies[api->which].type;
    return st;
}
