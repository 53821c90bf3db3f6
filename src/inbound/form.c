#include "followupd/inbound/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "followupd/inbound/text.h"
#include "gmime.h"

#define BOUNDARY_BYTES_MAX 70 /* RFC 2046 5.1.1 */

void form_fini(struct form *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->fields[i].name);
        free(f->fields[i].content_type);
    }
    free(f->fields);
    free(f->decoded);
    *f = (struct form){ 0 };
}

const struct form_field *form_find(const struct form *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++) {
        if (!f->fields[i].is_file && strcmp(f->fields[i].name, name) == 0)
            return &f->fields[i];
    }
    return NULL;
}

/* The next field, of that name; *ret is borrowed until the one after it. */
static enum status add_field(struct form *f, const char *name, size_t name_bytes, struct form_field **ret,
                             struct err *e)
{
    size_t number = f->count + 1;
    if (f->count == FORM_FIELDS_MAX)
        return err_set(e, E_LIMIT, "form: more than %d fields", FORM_FIELDS_MAX);
    if (name_bytes > FORM_NAME_BYTES_MAX)
        return err_set(e, E_LIMIT, "form: the name of field %zu is longer than %d bytes", number, FORM_NAME_BYTES_MAX);
    if (memchr(name, '\0', name_bytes) != NULL)
        return err_set(e, E_INVALID, "form: the name of field %zu holds a NUL", number);
    if ((f->count & (f->count - 1)) == 0) { /* room for the next power of two */
        struct form_field *fields = realloc(f->fields, (f->count == 0 ? 1 : 2 * f->count) * sizeof *fields);
        if (fields == NULL)
            return err_set(e, E_NOMEM, "form: out of memory");
        f->fields = fields;
    }
    struct form_field *field = &f->fields[f->count];
    *field = (struct form_field){ .name = text_copy(name, name_bytes) };
    if (field->name == NULL)
        return err_set(e, E_NOMEM, "form: out of memory");
    f->count++;
    *ret = field;
    return OK;
}

static int hex(unsigned char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Writes the bytes that text stands for and moves *at behind them; false: a % without its digits. */
static bool decode(const char *text, size_t bytes, char **at)
{
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (c == '%') {
            int high = bytes - i > 2 ? hex((unsigned char)text[i + 1]) : -1;
            int low = bytes - i > 2 ? hex((unsigned char)text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        *(*at)++ = text[i] == '+' ? ' ' : c;
    }
    return true;
}

static enum status parse_urlencoded(const char *body, size_t bytes, struct form *f, struct err *e)
{
    f->decoded = malloc(bytes + 1);
    if (f->decoded == NULL)
        return err_set(e, E_NOMEM, "form: out of memory");
    char *at = f->decoded;
    const char *end = body + bytes;
    while (body < end) {
        const char *ampersand = memchr(body, '&', (size_t)(end - body));
        const char *stop = ampersand != NULL ? ampersand : end;
        if (stop > body) {
            const char *equals = memchr(body, '=', (size_t)(stop - body));
            char *name = at;
            if (!decode(body, (size_t)((equals != NULL ? equals : stop) - body), &at))
                return err_set(e, E_INVALID, "form: the name of field %zu: %% without two hex digits", f->count + 1);
            char *value = at;
            if (equals != NULL && !decode(equals + 1, (size_t)(stop - equals - 1), &at))
                return err_set(e, E_INVALID, "form: field %zu: %% without two hex digits", f->count + 1);
            struct form_field *field;
            enum status st = add_field(f, name, (size_t)(value - name), &field, e);
            if (st != OK)
                return st;
            field->value = value;
            field->bytes = (size_t)(at - value);
        }
        body = stop + 1;
    }
    return OK;
}

/* A line that separates parts. */
struct delimiter {
    const char *line;  /* where the part before it ends: at the CR before the line */
    const char *after; /* behind its own line break */
    bool last;
};

/* The next line that is "--boundary", of which `text` is CR LF "--boundary"; false: there is none. */
static bool find_delimiter(const char *from, const char *end, const char *text, size_t text_bytes,
                           struct delimiter *ret)
{
    const char *line;
    while ((line = memmem(from, (size_t)(end - from), text, text_bytes)) != NULL) {
        const char *p = line + text_bytes;
        bool last = end - p >= 2 && p[0] == '-' && p[1] == '-';
        if (last)
            p += 2;
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
        bool ends = end - p >= 2 && p[0] == '\r' && p[1] == '\n';
        if (ends || (last && p == end)) {
            *ret = (struct delimiter){ line, ends ? p + 2 : p, last };
            return true;
        }
        from = line + 2; /* a line that only begins like one */
    }
    return false;
}

/* The value of that header of a part; *ret is NULL when it has none, else owned. */
static enum status part_header(const char *head, size_t bytes, const char *name, char **ret)
{
    size_t name_bytes = strlen(name);
    const char *end = head + bytes;
    *ret = NULL;
    while (head < end) {
        const char *line_end = memmem(head, (size_t)(end - head), "\r\n", 2);
        if (line_end == NULL)
            line_end = end;
        if ((size_t)(line_end - head) > name_bytes && strncasecmp(head, name, name_bytes) == 0 &&
            head[name_bytes] == ':') {
            const char *value = head + name_bytes + 1;
            while (value < line_end && (*value == ' ' || *value == '\t'))
                value++;
            *ret = text_copy(value, (size_t)(line_end - value));
            return *ret != NULL ? OK : E_NOMEM;
        }
        head = line_end < end ? line_end + 2 : end;
    }
    return OK;
}

/* The head and the content between two delimiters. `begin` is behind a line break. */
static enum status read_part(const char *begin, const char *end, struct form *f, struct err *e)
{
    size_t number = f->count + 1;
    char *disposition_text = NULL, *content_type = NULL;
    GMimeContentDisposition *disposition = NULL;
    size_t looked_at =
        (size_t)(end - begin) < FORM_PART_HEADER_BYTES_MAX ? (size_t)(end - begin) : FORM_PART_HEADER_BYTES_MAX;
    const char *blank = memmem(begin, looked_at, "\r\n\r\n", 4);
    if (blank == NULL)
        return err_set(e, E_INVALID, "form: the headers of field %zu do not end within %d bytes", number,
                       FORM_PART_HEADER_BYTES_MAX);
    enum status st = part_header(begin, (size_t)(blank - begin), "Content-Disposition", &disposition_text);
    if (st == OK)
        st = part_header(begin, (size_t)(blank - begin), "Content-Type", &content_type);
    if (st != OK) {
        err_set(e, st, "form: out of memory");
        goto out;
    }
    if (disposition_text != NULL)
        disposition = g_mime_content_disposition_parse(gmime_options(), disposition_text);
    const char *name = disposition == NULL ? NULL : g_mime_content_disposition_get_parameter(disposition, "name");
    if (name == NULL) {
        st = err_set(e, E_INVALID, "form: field %zu has no name", number);
        goto out;
    }
    struct form_field *field;
    st = add_field(f, name, strlen(name), &field, e);
    if (st != OK)
        goto out;
    field->value = blank + 4;
    field->bytes = (size_t)(end - field->value);
    field->is_file = g_mime_content_disposition_get_parameter(disposition, "filename") != NULL;
    field->content_type = content_type;
    content_type = NULL;
out:
    if (disposition != NULL)
        g_object_unref(disposition);
    free(disposition_text);
    free(content_type);
    return st;
}

static enum status parse_multipart(const char *boundary, const char *body, size_t bytes, struct form *f, struct err *e)
{
    char text[BOUNDARY_BYTES_MAX + 5];
    size_t text_bytes = (size_t)snprintf(text, sizeof text, "\r\n--%s", boundary);
    const char *end = body + bytes;
    struct delimiter at;
    /* The first one may stand at the very beginning, without the line break before it. */
    bool first = bytes >= text_bytes - 2 && memcmp(body, text + 2, text_bytes - 2) == 0;
    if (first) {
        const char *p = body + text_bytes - 2;
        first = end - p >= 2 && p[0] == '\r' && p[1] == '\n';
        at = (struct delimiter){ body, p + 2, false };
    }
    if (!first && !find_delimiter(body, end, text, text_bytes, &at))
        return err_set(e, E_INVALID, "form: its boundary is not in the body");
    while (!at.last) {
        struct delimiter next;
        /* The line break that ends this delimiter may begin the next one: a part with neither head nor content. */
        if (!find_delimiter(at.after - 2, end, text, text_bytes, &next))
            return err_set(e, E_INVALID, "form: the body ends inside field %zu", f->count + 1);
        if (next.line < at.after)
            return err_set(e, E_INVALID, "form: field %zu is empty", f->count + 1);
        enum status st = read_part(at.after, next.line, f, e);
        if (st != OK)
            return st;
        at = next;
    }
    return OK;
}

enum status form_parse(const char *content_type, const void *body, size_t bytes, struct form *ret, struct err *e)
{
    if (content_type == NULL)
        return err_set(e, E_INVALID, "form: no content type");
    if (bytes == 0)
        body = ""; /* may be NULL */
    struct form f = { 0 };
    enum status st;
    GMimeContentType *type = g_mime_content_type_parse(gmime_options(), content_type);
    const char *boundary = g_mime_content_type_get_parameter(type, "boundary");
    if (g_mime_content_type_is_type(type, "application", "x-www-form-urlencoded"))
        st = parse_urlencoded(body, bytes, &f, e);
    else if (!g_mime_content_type_is_type(type, "multipart", "form-data"))
        st = err_set(e, E_INVALID, "form: the content type is neither urlencoded nor form-data");
    else if (boundary == NULL || *boundary == '\0' || strlen(boundary) > BOUNDARY_BYTES_MAX)
        st = err_set(e, E_INVALID, "form: no boundary of 1 to %d bytes", BOUNDARY_BYTES_MAX);
    else
        st = parse_multipart(boundary, body, bytes, &f, e);
    g_object_unref(type);
    if (st == OK)
        *ret = f;
    else
        form_fini(&f);
    return st;
}
