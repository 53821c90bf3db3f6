/* Mailgun, a route's forward(): a form. The mail in pieces, with its headers as JSON, or, to a URL that ends in "mime",
 * whole in the field `body-mime`. Posted once for each recipient. */
#include <stdlib.h>
#include <string.h>

#include "followupd/inbound/form.h"
#include "mime.h"
#include "reply_providers.h"
#include "report.h"
#include "strict_json.h"

/* [["Name", "value"], ...] */
static enum status read_headers(struct draft *d, const struct form_field *field, struct err *e)
{
    json_t *headers = NULL, *pair;
    size_t i;
    enum status st = strict_json("mailgun: message-headers", JSON_ARRAY, field->value, field->bytes, &headers, e);
    json_array_foreach (headers, i, pair) {
        const json_t *name = json_array_get(pair, 0), *value = json_array_get(pair, 1);
        if (st == OK && (!json_is_string(name) || !json_is_string(value)))
            st = err_set(e, E_INVALID, "mailgun: message-headers[%zu] is no pair of strings", i);
        if (st == OK)
            st = draft_header(d, json_string_value(name), json_string_value(value), json_string_length(value));
    }
    json_decref(headers);
    return st;
}

static enum status read_time(struct draft *d, const struct form *form)
{
    const struct form_field *field = form_find(form, "timestamp");
    char digits[12] = "";
    if (field == NULL || field->bytes == 0 || field->bytes >= sizeof digits)
        return OK;
    memcpy(digits, field->value, field->bytes);
    char *end;
    long long seconds = strtoll(digits, &end, 10);
    return *end == '\0' ? draft_time(d, (struct wall){ seconds * 1000000 }) : OK;
}

/* Mailgun puts its own headers above those of the mail: the first of a name is its word, a second the sender's. */
static enum status read_verdicts(struct draft *d)
{
    const char *spf = draft_header_value(d, "X-Mailgun-Spf"),
               *dkim = draft_header_value(d, "X-Mailgun-Dkim-Check-Result");
    enum status st = spf != NULL ? draft_verdict(d, "spf", spf, strlen(spf)) : OK;
    return st == OK && dkim != NULL ? draft_verdict(d, "dkim", dkim, strlen(dkim)) : st;
}

static enum status read_pieces(struct draft *d, const struct form *form, struct err *e)
{
    const struct form_field *headers = form_find(form, "message-headers");
    enum status st = headers == NULL
                         ? err_set(e, E_INVALID, "mailgun: neither body-mime nor message-headers among the fields")
                         : read_headers(d, headers, e);
    const struct form_field *from = form_find(form, "from"), *subject = form_find(form, "subject");
    if (st == OK && from != NULL)
        st = draft_from(d, from->value, from->bytes);
    if (st == OK && subject != NULL)
        st = draft_put(d, "subject", NULL, subject->value, subject->bytes);
    struct {
        const char *name;
        struct buf *target;
    } texts[] = { { "body-plain", &d->text }, { "body-html", &d->html }, { "stripped-text", &d->stripped } };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && st == OK; i++) {
        const struct form_field *field = form_find(form, texts[i].name);
        if (field != NULL)
            st = draft_body(d, texts[i].target, NULL, field->value, field->bytes);
    }
    return st == OK ? report_read_attached(d, form) : st;
}

enum status reply_mailgun(struct draft *d, const char *content_type, const void *body, size_t bytes, struct err *e)
{
    struct form form;
    enum status st = form_parse(content_type, body, bytes, &form, e);
    if (st != OK)
        return err_prefix(e, st, "mailgun");
    const struct form_field *mime = form_find(&form, "body-mime"), *recipient = form_find(&form, "recipient"),
                            *sender = form_find(&form, "sender");
    st = read_time(d, &form);
    if (st == OK && recipient != NULL)
        st = draft_recipient(d, recipient->value, recipient->bytes);
    if (st == OK && sender != NULL)
        st = draft_sender(d, sender->value, sender->bytes);
    if (st == OK)
        st = mime != NULL ? mime_read(d, mime->value, mime->bytes, e) : read_pieces(d, &form, e);
    if (st == OK)
        st = read_verdicts(d);
    form_fini(&form);
    return st;
}
