#include "report.h"

#include <string.h>
#include <strings.h>

#include "followupd/base/utf8.h"
#include "followupd/inbound/reply.h"
#include "followupd/inbound/text.h"

#define DETAIL_BYTES_MAX 512
#define VALUE_BYTES_MAX  4096 /* of a field with its folds; the rest is not looked at */

/* Of one recipient, as far as it was read. */
struct recipient {
    json_t *values;
    const char *kind;
};

static const char *kind_of(const char *action)
{
    static const char *const kinds[][2] = {
        { "failed", "bounced" },    { "delayed", "delayed" },    { "delivered", "delivered" },
        { "relayed", "delivered" }, { "expanded", "delivered" },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcasecmp(action, kinds[i][0]) == 0)
            return kinds[i][1];
    }
    return NULL;
}

static enum status set(json_t *object, const char *key, const char *text, size_t bytes)
{
    return json_object_set_new(object, key, json_stringn(text, utf8_cut(text, bytes, DETAIL_BYTES_MAX))) == 0 ? OK
                                                                                                              : E_NOMEM;
}

/* Behind "rfc822;", "smtp;" and the like; text itself when there is none. */
static const char *after_type(const char *text)
{
    const char *p = text + strcspn(text, "; <@\"");
    if (*p != ';')
        return text;
    return p + 1 + strspn(p + 1, " ");
}

static enum status take_diagnostic(struct recipient *r, const char *text)
{
    const char *p = after_type(text);
    enum status st = set(r->values, "detail", p, strlen(p));
    bool is_code = strspn(p, "0123456789") == 3 && *p >= '2' && *p <= '5';
    return st == OK && is_code ? set(r->values, "smtp_code", p, 3) : st;
}

/* text: one line, UTF-8. */
static enum status take_field(struct recipient *r, const char *name, size_t name_bytes, const char *text)
{
    static const struct {
        const char *name, *key;
    } fields[] = { { "Final-Recipient", "recipient" },
                   { "Original-Recipient", "recipient" },
                   { "Action", "action" },
                   { "Status", "status" },
                   { "Diagnostic-Code", "detail" } };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *key = fields[i].key;
        if (strlen(fields[i].name) != name_bytes || strncasecmp(name, fields[i].name, name_bytes) != 0 ||
            (json_object_get(r->values, key) != NULL && i != 0)) /* the final recipient beats the original one */
            continue;
        if (strcmp(key, "detail") == 0)
            return take_diagnostic(r, text);
        if (strcmp(key, "recipient") == 0)
            text = after_type(text);
        size_t bytes = strcmp(key, "recipient") == 0 ? strlen(text) : strcspn(text, " (;");
        enum status st = bytes > 0 ? set(r->values, key, text, bytes) : OK;
        if (st == OK && strcmp(key, "action") == 0 && bytes > 0)
            r->kind = kind_of(json_string_value(json_object_get(r->values, key)));
        return st;
    }
    return OK;
}

/* A field with its folds. */
static enum status read_field(struct recipient *r, const char *text, size_t bytes)
{
    const char *colon = memchr(text, ':', bytes);
    if (colon == NULL)
        return OK;
    struct buf line;
    buf_init(&line, VALUE_BYTES_MAX);
    enum status st = text_add(&line, TEXT_LINE, NULL, colon + 1, bytes - (size_t)(colon + 1 - text), NULL);
    if (st == OK && line.used > 0)
        st = take_field(r, text, (size_t)(colon - text), line.data);
    buf_fini(&line);
    return st;
}

static enum status begin_recipient(struct recipient *r)
{
    json_decref(r->values);
    *r = (struct recipient){ .values = json_object() };
    return r->values != NULL ? OK : E_NOMEM;
}

/* A blank line ends what is told of a recipient; so does the end. */
static enum status end_recipient(struct draft *d, struct recipient *r)
{
    if (r->kind != NULL && json_array_size(d->reports) < REPLY_REPORTED_MAX &&
        (json_object_set_new(r->values, "kind", json_string(r->kind)) != 0 ||
         json_array_append(d->reports, r->values) != 0))
        return E_NOMEM;
    return begin_recipient(r);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

enum status report_read(struct draft *d, const void *bytes, size_t count)
{
    if (count == 0)
        return OK; /* bytes may be NULL */
    const char *p = bytes, *end = p + count;
    struct recipient r = { 0 };
    enum status st = begin_recipient(&r);
    while (p < end && st == OK) {
        const char *field = p, *line_end;
        do { /* lines that begin with a blank belong to the one before */
            line_end = memchr(p, '\n', (size_t)(end - p));
            p = line_end != NULL ? line_end + 1 : end;
        } while (p < end && p - field > 2 && is_blank(*p));
        bool empty = *field == '\n' || (p - field == 2 && *field == '\r');
        st = empty ? end_recipient(d, &r) : read_field(&r, field, (size_t)(p - field));
    }
    if (st == OK)
        st = end_recipient(d, &r);
    json_decref(r.values);
    return st;
}

enum status report_read_attached(struct draft *d, const struct form *form)
{
    static const char type[] = "message/delivery-status";
    enum status st = OK;
    for (size_t i = 0; i < form->count && st == OK && d->is_report; i++) {
        const struct form_field *f = &form->fields[i];
        if (f->is_file && f->content_type != NULL && strncasecmp(f->content_type, type, sizeof type - 1) == 0)
            st = report_read(d, f->value, f->bytes);
    }
    return st;
}
