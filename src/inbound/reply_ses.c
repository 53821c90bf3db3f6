/* Amazon SES, a receiving rule with an SNS action: the notification is JSON inside the Message of the SNS envelope, the mail
 * is in its `content`, as text or as base64. Without it (mails over 150 KB, kept in S3) the headers alone are there. */
#include <string.h>
#include <strings.h>

#include "gmime.h"
#include "mime.h"
#include "reply_providers.h"
#include "strict_json.h"

#define WHAT "ses"

static enum status read_receipt(struct draft *d, const json_t *receipt, struct err *e)
{
    static const char *const verdicts[][2] = { { "spfVerdict", "spf" },
                                               { "dkimVerdict", "dkim" },
                                               { "dmarcVerdict", "dmarc" } };
    json_t *recipients, *recipient, *verdict;
    size_t i, bytes;
    enum status st = strict_json_array(WHAT ": receipt", receipt, "recipients", &recipients, e);
    json_array_foreach (st == OK ? recipients : NULL, i, recipient) {
        st = json_is_string(recipient) ? draft_recipient(d, json_string_value(recipient), json_string_length(recipient))
                                       : err_set(e, E_INVALID, WHAT ": receipt: recipients[%zu] is no string", i);
    }
    for (i = 0; i < sizeof verdicts / sizeof verdicts[0] && st == OK; i++) {
        const char *word = NULL;
        st = strict_json_object(WHAT ": receipt", receipt, verdicts[i][0], &verdict, e);
        if (st == OK)
            st = strict_json_text(WHAT ": receipt: verdict", verdict, "status", &word, &bytes, e);
        if (st == OK && word != NULL)
            st = draft_verdict(d, verdicts[i][1], word, bytes);
    }
    return st;
}

static enum status read_mail(struct draft *d, const json_t *mail, struct err *e)
{
    const char *id, *source, *timestamp;
    size_t id_bytes, source_bytes, timestamp_bytes;
    enum status st = strict_json_text(WHAT ": mail", mail, "messageId", &id, &id_bytes, e);
    if (st == OK && id == NULL)
        st = err_set(e, E_INVALID, WHAT ": mail: no messageId");
    if (st == OK)
        st = draft_provider_id(d, id, id_bytes);
    if (st == OK)
        st = strict_json_text(WHAT ": mail", mail, "source", &source, &source_bytes, e);
    if (st == OK && source != NULL)
        st = draft_sender(d, source, source_bytes);
    if (st == OK)
        st = strict_json_text(WHAT ": mail", mail, "timestamp", &timestamp, &timestamp_bytes, e);
    GDateTime *time = st == OK && timestamp != NULL ? g_date_time_new_from_iso8601(timestamp, NULL) : NULL;
    if (time != NULL) {
        st = draft_time(d, (struct wall){ g_date_time_to_unix(time) * 1000000 + g_date_time_get_microsecond(time) });
        g_date_time_unref(time);
    }
    return st;
}

/* What the rule's action says of the encoding, or else what no header could be: a first line without a colon. */
static enum status is_base64(const json_t *receipt, const char *content, bool *ret, struct err *e)
{
    json_t *action;
    const char *encoding = NULL;
    size_t bytes;
    enum status st = strict_json_object(WHAT ": receipt", receipt, "action", &action, e);
    if (st == OK)
        st = strict_json_text(WHAT ": receipt: action", action, "encoding", &encoding, &bytes, e);
    if (st == OK)
        *ret = encoding != NULL ? strcasecmp(encoding, "BASE64") == 0 : content[strcspn(content, ":\r\n")] != ':';
    return st;
}

static enum status read_content(struct draft *d, const json_t *receipt, const char *content, size_t bytes,
                                struct err *e)
{
    bool base64;
    enum status st = is_base64(receipt, content, &base64, e);
    if (st != OK || !base64)
        return st == OK ? mime_read(d, content, bytes, e) : st;
    gsize raw_bytes;
    guchar *raw = g_base64_decode(content, &raw_bytes);
    st = mime_read(d, raw, raw_bytes, e);
    g_free(raw);
    return st;
}

static enum status read_notification(struct draft *d, const json_t *notification, struct err *e)
{
    const char *type, *content;
    size_t type_bytes, content_bytes;
    json_t *mail, *receipt;
    enum status st = strict_json_text(WHAT ": Message", notification, "notificationType", &type, &type_bytes, e);
    if (st == OK && (type == NULL || strcmp(type, "Received") != 0))
        st = err_set(e, E_INVALID, WHAT ": Message: its notificationType is not Received");
    if (st == OK)
        st = strict_json_object(WHAT ": Message", notification, "mail", &mail, e);
    if (st == OK)
        st = strict_json_object(WHAT ": Message", notification, "receipt", &receipt, e);
    if (st == OK)
        st = strict_json_text(WHAT ": Message", notification, "content", &content, &content_bytes, e);
    if (st == OK)
        st = read_mail(d, mail, e);
    if (st == OK)
        st = read_receipt(d, receipt, e);
    if (st != OK)
        return st;
    return content_bytes > 0 ? read_content(d, receipt, content, content_bytes, e)
                             : reply_json_headers(d, WHAT ": mail", mail, "headers", "name", "value", e);
}

enum status reply_ses(struct draft *d, const char *content_type, const void *body, size_t bytes, struct err *e)
{
    (void)content_type; /* SNS says text/plain */
    json_t *envelope = NULL, *notification = NULL;
    const char *message;
    size_t message_bytes;
    enum status st = strict_json(WHAT, JSON_OBJECT, body, bytes, &envelope, e);
    if (st == OK)
        st = strict_json_text(WHAT, envelope, "Message", &message, &message_bytes, e);
    if (st == OK)
        st = strict_json(WHAT ": Message", JSON_OBJECT, message, message_bytes, &notification, e);
    if (st == OK)
        st = read_notification(d, notification, e);
    json_decref(notification);
    json_decref(envelope);
    return st;
}
