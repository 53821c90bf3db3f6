/* SendGrid Inbound Parse: a form. Either the mail in pieces (headers as a block, text and html, each field in a charset of
 * its own) or, when the route says "send raw", the mail whole in the field `email`. */
#include <string.h>

#include "followupd/inbound/form.h"
#include "mime.h"
#include "reply_providers.h"
#include "report.h"
#include "strict_json.h"

/* {"to": ["..."], "from": "..."} */
static enum status read_envelope(struct draft *d, const struct form *form, struct err *e)
{
    const struct form_field *field = form_find(form, "envelope");
    if (field == NULL)
        return OK;
    json_t *envelope = NULL, *to, *address;
    const char *from;
    size_t from_bytes, i;
    enum status st = strict_json("sendgrid: envelope", JSON_OBJECT, field->value, field->bytes, &envelope, e);
    if (st == OK)
        st = strict_json_text("sendgrid: envelope", envelope, "from", &from, &from_bytes, e);
    if (st == OK)
        st = strict_json_array("sendgrid: envelope", envelope, "to", &to, e);
    if (st == OK && from != NULL)
        st = draft_sender(d, from, from_bytes);
    json_array_foreach (st == OK ? to : NULL, i, address) {
        if (st == OK && !json_is_string(address))
            st = err_set(e, E_INVALID, "sendgrid: envelope: to[%zu] is no string", i);
        if (st == OK)
            st = draft_recipient(d, json_string_value(address), json_string_length(address));
    }
    json_decref(envelope);
    return st;
}

/* "{@a.example : pass, @b.example : fail}": one signature that holds is enough. */
static enum status read_verdicts(struct draft *d, const struct form *form)
{
    const struct form_field *spf = form_find(form, "SPF"), *dkim = form_find(form, "dkim");
    enum status st = spf != NULL ? draft_verdict(d, "spf", spf->value, spf->bytes) : OK;
    static const char *const words[] = { "pass", "fail" };
    for (size_t i = 0; i < 2 && dkim != NULL && st == OK; i++) {
        char mark[8] = ": ";
        strcat(mark, words[i]);
        if (memmem(dkim->value, dkim->bytes, mark, strlen(mark)) != NULL)
            st = draft_verdict(d, "dkim", words[i], 4);
    }
    return st;
}

static enum status read_pieces(struct draft *d, const struct form *form, const json_t *charsets, struct err *e)
{
    const struct form_field *headers = form_find(form, "headers");
    enum status st = headers == NULL ? err_set(e, E_INVALID, "sendgrid: neither email nor headers among the fields")
                                     : mime_headers(d, headers->value, headers->bytes, e);
    struct {
        const char *name;
        struct buf *target; /* NULL: the subject */
    } texts[] = { { "text", &d->text }, { "html", &d->html }, { "subject", NULL } };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && st == OK; i++) {
        const struct form_field *field = form_find(form, texts[i].name);
        const char *charset;
        size_t charset_bytes;
        st = strict_json_text("sendgrid: charsets", charsets, texts[i].name, &charset, &charset_bytes, e);
        if (st != OK || field == NULL)
            continue;
        st = texts[i].target != NULL ? draft_body(d, texts[i].target, charset, field->value, field->bytes)
                                     : draft_put(d, "subject", charset, field->value, field->bytes);
    }
    return st == OK ? report_read_attached(d, form) : st;
}

enum status reply_sendgrid(struct draft *d, const char *content_type, const void *body, size_t bytes, struct err *e)
{
    struct form form;
    json_t *charsets = NULL;
    enum status st = form_parse(content_type, body, bytes, &form, e);
    if (st != OK)
        return err_prefix(e, st, "sendgrid");
    const struct form_field *email = form_find(&form, "email"), *names = form_find(&form, "charsets");
    st = read_envelope(d, &form, e);
    if (st == OK)
        st = read_verdicts(d, &form);
    if (st == OK && email != NULL)
        st = mime_read(d, email->value, email->bytes, e);
    if (st == OK && email == NULL && names != NULL)
        st = strict_json("sendgrid: charsets", JSON_OBJECT, names->value, names->bytes, &charsets, e);
    if (st == OK && email == NULL)
        st = read_pieces(d, &form, charsets, e);
    json_decref(charsets);
    form_fini(&form);
    return st;
}
