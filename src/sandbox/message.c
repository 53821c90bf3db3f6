#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "followupd/base/list.h"

enum kind { ID, NUMBER, LINE, LINE_OR_NULL, TEXT, TEXT_OR_NULL, HEADERS };

static const struct field {
    const char *name;
    enum kind kind;
} fields[] = {
    { "message_id", ID },     { "account_id", NUMBER },     { "due_ms", NUMBER }, { "from", LINE },
    { "to", LINE },           { "reply_to", LINE_OR_NULL }, { "subject", LINE },  { "text", TEXT },
    { "html", TEXT_OR_NULL }, { "headers", HEADERS },
};

/* Of what came through an API: both or none. */
static const struct field api_fields[] = { { "api", LINE }, { "fu_id", LINE_OR_NULL } };

static bool has_line_break(const char *text)
{
    return strpbrk(text, "\r\n") != NULL;
}

static enum status check_headers(json_t *headers, struct err *e)
{
    const char *name;
    json_t *value;
    if (!json_is_object(headers))
        return err_set(e, E_INVALID, "headers: must be an object");
    json_object_foreach (headers, name, value) {
        if (name[0] == '\0' || has_line_break(name) || strpbrk(name, ": ") != NULL)
            return err_set(e, E_INVALID, "headers: \"%.60s\" is no header name", name);
        if (!json_is_string(value) && !json_is_null(value))
            return err_set(e, E_INVALID, "headers: %.60s must be a string or null", name);
        if (json_is_string(value) && has_line_break(json_string_value(value)))
            return err_set(e, E_INVALID, "headers: %.60s holds a line break", name);
    }
    return OK;
}

/* -1: not of the form m-<number> */
static int64_t id_of(const char *message_id)
{
    if (strcmp(message_id, "m-0") == 0)
        return 0;
    if (strncmp(message_id, "m-", 2) != 0 || message_id[2] < '1' || message_id[2] > '9')
        return -1;
    char *end;
    errno = 0;
    long long id = strtoll(message_id + 2, &end, 10);
    return errno == 0 && *end == '\0' ? id : -1;
}

static enum status check_field(const struct field *f, json_t *value, struct err *e)
{
    if (value == NULL)
        return err_set(e, E_INVALID, "%s: is missing", f->name);
    switch (f->kind) {
    case NUMBER:
        return json_is_integer(value) ? OK : err_set(e, E_INVALID, "%s: must be a whole number", f->name);
    case HEADERS:
        return check_headers(value, e);
    case LINE_OR_NULL:
    case TEXT_OR_NULL:
        if (json_is_null(value))
            return OK;
        break;
    case ID:
        if (json_is_string(value) && id_of(json_string_value(value)) >= 0)
            return OK;
        return err_set(e, E_INVALID, "%s: must be \"m-\" and a number from 1", f->name);
    case LINE:
    case TEXT:
        break;
    }
    if (!json_is_string(value))
        return err_set(e, E_INVALID, "%s: must be a string", f->name);
    if ((f->kind == LINE || f->kind == LINE_OR_NULL) && has_line_break(json_string_value(value)))
        return err_set(e, E_INVALID, "%s: holds a line break", f->name);
    return OK;
}

static enum status check_names(json_t *document, struct err *e)
{
    const char *name;
    json_t *value;
    json_object_foreach (document, name, value) {
        bool known = false;
        for (size_t i = 0; i < COUNT_OF(fields); i++)
            known = known || strcmp(fields[i].name, name) == 0;
        if (!known)
            return err_set(e, E_INVALID, "%.60s: is no field of a message", name);
    }
    return OK;
}

enum status message_read(json_t *document, struct message *ret, struct err *e)
{
    if (!json_is_object(document))
        return err_set(e, E_INVALID, "body: must be a JSON object");
    bool by_api = json_object_get(document, "api") != NULL;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const json_t *value = json_object_get(document, fields[i].name);
        enum status st = check_field(&fields[i], (json_t *)value, e);
        if (st == OK && fields[i].kind == ID && !by_api && id_of(json_string_value(value)) == 0)
            st = err_set(e, E_INVALID, "message_id: must be \"m-\" and a number from 1");
        if (st != OK)
            return st;
    }
    for (size_t i = 0; by_api && i < COUNT_OF(api_fields); i++) {
        enum status st = check_field(&api_fields[i], json_object_get(document, api_fields[i].name), e);
        if (st != OK)
            return st;
    }
    if (json_object_size(document) != COUNT_OF(fields) + (by_api ? COUNT_OF(api_fields) : 0))
        return check_names(document, e);
    struct message m = {
        .document = document,
        .message_id = json_string_value(json_object_get(document, "message_id")),
        .from = json_string_value(json_object_get(document, "from")),
        .to = json_string_value(json_object_get(document, "to")),
        .reply_to = json_string_value(json_object_get(document, "reply_to")),
        .subject = json_string_value(json_object_get(document, "subject")),
        .text = json_string_value(json_object_get(document, "text")),
        .html = json_string_value(json_object_get(document, "html")),
        .headers = json_object_get(document, "headers"),
        .api = json_string_value(json_object_get(document, "api")),
        .fu_id = json_string_value(json_object_get(document, "fu_id")),
        .account_id = json_integer_value(json_object_get(document, "account_id")),
        .due_ms = json_integer_value(json_object_get(document, "due_ms")),
    };
    m.id = id_of(m.message_id);
    if (m.account_id < (by_api ? 0 : 1))
        return err_set(e, E_INVALID, "account_id: must be 1 or more");
    if (strchr(m.from, '@') == NULL)
        return err_set(e, E_INVALID, "from: holds no address");
    if (strchr(m.to, '@') == NULL)
        return err_set(e, E_INVALID, "to: holds no address");
    *ret = m;
    return OK;
}

enum status message_parse(const char *bytes, size_t count, struct message *ret, struct err *e)
{
    json_error_t error;
    json_t *document = json_loadb(bytes, count, JSON_REJECT_DUPLICATES, &error);
    if (document == NULL)
        return err_set(e, E_INVALID, "body: no JSON: line %d, column %d: %s", error.line, error.column, error.text);
    enum status st = message_read(document, ret, e);
    if (st == OK && ret->api != NULL)
        st = err_set(e, E_INVALID, "api: is no field of a message");
    if (st != OK)
        json_decref(document);
    return st;
}

void message_fini(struct message *m)
{
    json_decref(m->document);
    *m = (struct message){ 0 };
}

/* As JSON. Most of a message is text without anything to escape, so it goes in runs: this is where the time goes. The
 * text is UTF-8, or it would not have been read. NULL: null. */
static enum status write_text(struct buf *b, const char *text)
{
    if (text == NULL)
        return buf_text(b, "null");
    enum status st = buf_add(b, "\"", 1);
    while (st == OK && *text != '\0') {
        size_t plain = 0;
        while ((unsigned char)text[plain] >= ' ' && text[plain] != '"' && text[plain] != '\\')
            plain++;
        st = buf_add(b, text, plain);
        text += plain;
        if (st != OK || *text == '\0')
            break;
        if (*text == '\n')
            st = buf_add(b, "\\n", 2);
        else if (*text == '"' || *text == '\\')
            st = buf_format(b, "\\%c", *text);
        else
            st = buf_format(b, "\\u%04x", (unsigned)*text);
        text++;
    }
    return st == OK ? buf_add(b, "\"", 1) : st;
}

/* ,"name":value */
static enum status write_field(struct buf *b, const char *name, const json_t *value)
{
    enum status st = buf_format(b, ",\"%s\":", name);
    if (st != OK)
        return st;
    if (json_is_integer(value))
        return buf_format(b, "%lld", (long long)json_integer_value(value));
    return write_text(b, json_string_value(value));
}

static enum status write_key(struct buf *b, const char *key)
{
    enum status st = buf_text(b, ",\"key\":");
    return st == OK ? write_text(b, key) : st;
}

static int add_to_buf(const char *bytes, size_t count, void *context)
{
    return buf_add(context, bytes, count) == OK ? 0 : -1;
}

/* Two messages are the same when their headers are, in any order. */
static enum status write_headers(struct buf *b, const json_t *headers)
{
    enum status st = buf_text(b, ",\"headers\":");
    if (st != OK)
        return st;
    return json_dump_callback(headers, add_to_buf, b, JSON_COMPACT | JSON_SORT_KEYS) == 0 ? OK : E_LIMIT;
}

enum status message_write(const struct message *m, const char *key, struct buf *b)
{
    enum status st = buf_format(b, "\"message_id\":\"%s\"", m->message_id);
    for (size_t i = 1; st == OK && i < COUNT_OF(fields); i++) {
        if (strcmp(fields[i].name, "due_ms") == 0) /* the key stands before it */
            st = write_key(b, key);
        if (st == OK && fields[i].kind == HEADERS)
            st = write_headers(b, m->headers);
        else if (st == OK)
            st = write_field(b, fields[i].name, json_object_get(m->document, fields[i].name));
    }
    for (size_t i = 0; st == OK && m->api != NULL && i < COUNT_OF(api_fields); i++)
        st = write_field(b, api_fields[i].name, json_object_get(m->document, api_fields[i].name));
    return st;
}

const char *message_header(const struct message *m, const char *name)
{
    const char *its;
    json_t *value;
    json_object_foreach (m->headers, its, value) {
        if (strcasecmp(its, name) == 0)
            return json_string_value(value);
    }
    return NULL;
}

const char *message_address(const char *value, size_t *ret_bytes)
{
    const char *open = strrchr(value, '<');
    const char *start = open != NULL ? open + 1 : value;
    *ret_bytes = open != NULL ? strcspn(start, ">") : strlen(start);
    return start;
}

bool message_goes_to(const struct message *m, const char *address)
{
    size_t length;
    const char *start = message_address(m->to, &length);
    return strlen(address) == length && strncasecmp(start, address, length) == 0;
}
