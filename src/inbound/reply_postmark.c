/* Postmark inbound: one JSON object, all of it UTF-8 already. Its list of headers leaves out those that have members of
 * their own. */
#include <string.h>
#include <strings.h>

#include "gmime.h"
#include "reply_providers.h"
#include "report.h"
#include "strict_json.h"

#define WHAT "postmark"

static enum status read_headers(struct draft *d, const json_t *mail, struct err *e)
{
    enum status st = reply_json_headers(d, WHAT, mail, "Headers", "Name", "Value", e);
    static const char *const members[] = { "To", "Cc", "Subject", "Date" };
    for (size_t i = 0; i < sizeof members / sizeof members[0] && st == OK; i++) {
        const char *value;
        size_t bytes;
        st = strict_json_text(WHAT, mail, members[i], &value, &bytes, e);
        if (st == OK && bytes > 0 && draft_header_value(d, members[i]) == NULL)
            st = draft_header(d, members[i], value, bytes);
    }
    return st;
}

static enum status read_from(struct draft *d, const json_t *mail, struct err *e)
{
    json_t *full;
    const char *from, *address, *name;
    size_t from_bytes, address_bytes, name_bytes;
    enum status st = strict_json_object(WHAT, mail, "FromFull", &full, e);
    if (st == OK)
        st = strict_json_text(WHAT, full, "Email", &address, &address_bytes, e);
    if (st == OK)
        st = strict_json_text(WHAT, full, "Name", &name, &name_bytes, e);
    if (st == OK)
        st = strict_json_text(WHAT, mail, "From", &from, &from_bytes, e);
    if (st == OK && address != NULL)
        st = draft_from(d, address, address_bytes);
    if (st == OK && from != NULL)
        st = draft_from(d, from, from_bytes);
    return st == OK && name != NULL ? draft_put(d, "from_name", NULL, name, name_bytes) : st;
}

/* Postmark puts its own headers above those of the mail. */
static enum status read_verdicts(struct draft *d)
{
    const char *spf = draft_header_value(d, "Received-SPF"), *tests = draft_header_value(d, "X-Spam-Tests");
    enum status st = spf != NULL ? draft_verdict(d, "spf", spf, strcspn(spf, " ;(")) : OK;
    if (st == OK && tests != NULL && strstr(tests, "DKIM_VALID") != NULL)
        st = draft_verdict(d, "dkim", "pass", 4);
    if (st == OK && tests != NULL && strstr(tests, "DKIM_INVALID") != NULL)
        st = draft_verdict(d, "dkim", "fail", 4);
    return st;
}

static enum status read_attached_report(struct draft *d, const json_t *mail, struct err *e)
{
    json_t *attachments, *attachment;
    size_t i;
    enum status st = strict_json_array(WHAT, mail, "Attachments", &attachments, e);
    json_array_foreach (st == OK && d->is_report ? attachments : NULL, i, attachment) {
        const char *type, *content;
        size_t type_bytes, content_bytes;
        st = strict_json_text(WHAT ": Attachments", attachment, "ContentType", &type, &type_bytes, e);
        if (st == OK)
            st = strict_json_text(WHAT ": Attachments", attachment, "Content", &content, &content_bytes, e);
        if (st != OK || type == NULL || content_bytes == 0 || strncasecmp(type, "message/delivery-status", 23) != 0)
            continue;
        gsize bytes;
        guchar *report = g_base64_decode(content, &bytes);
        st = report_read(d, report, bytes);
        g_free(report);
    }
    return st;
}

static enum status read_texts(struct draft *d, const json_t *mail, struct err *e)
{
    struct {
        const char *name;
        struct buf *target;
    } texts[] = { { "TextBody", &d->text }, { "HtmlBody", &d->html }, { "StrippedTextReply", &d->stripped } };
    enum status st = OK;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && st == OK; i++) {
        const char *value;
        size_t bytes;
        st = strict_json_text(WHAT, mail, texts[i].name, &value, &bytes, e);
        if (st == OK)
            st = draft_body(d, texts[i].target, "utf-8", value, bytes);
    }
    return st;
}

enum status reply_postmark(struct draft *d, const char *content_type, const void *body, size_t bytes, struct err *e)
{
    (void)content_type;
    json_t *mail = NULL;
    const char *id, *recipient;
    size_t id_bytes, recipient_bytes;
    enum status st = strict_json(WHAT, JSON_OBJECT, body, bytes, &mail, e);
    if (st == OK)
        st = strict_json_text(WHAT, mail, "MessageID", &id, &id_bytes, e);
    if (st == OK && id == NULL)
        st = err_set(e, E_INVALID, WHAT ": no MessageID");
    if (st == OK)
        st = draft_provider_id(d, id, id_bytes);
    if (st == OK)
        st = strict_json_text(WHAT, mail, "OriginalRecipient", &recipient, &recipient_bytes, e);
    if (st == OK && recipient != NULL)
        st = draft_recipient(d, recipient, recipient_bytes);
    if (st == OK)
        st = read_from(d, mail, e);
    if (st == OK)
        st = read_headers(d, mail, e);
    if (st == OK)
        st = read_verdicts(d);
    if (st == OK)
        st = read_attached_report(d, mail, e);
    if (st == OK)
        st = read_texts(d, mail, e);
    json_decref(mail);
    return st;
}
