#include "form.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static enum status add(json_t *fields, const char *name, size_t name_bytes, const char *value, size_t value_bytes,
                       struct err *e)
{
    if (json_array_size(fields) == FORM_FIELDS_MAX)
        return err_set(e, E_INVALID, "the form has more than %d fields", FORM_FIELDS_MAX);
    json_t *its_name = json_stringn(name, name_bytes), *its_value = json_stringn(value, value_bytes);
    if (its_name == NULL || its_value == NULL || memchr(value, '\0', value_bytes) != NULL) {
        json_decref(its_name);
        json_decref(its_value);
        return err_set(e, E_INVALID, "the form holds a field that is no UTF-8 text");
    }
    json_array_append_new(fields, json_pack("[o,o]", its_name, its_value));
    return OK;
}

/* ---- multipart ---- */

/* One part, from behind its boundary's line end to the line end before the next boundary. */
static enum status add_part(json_t *fields, const char *part, size_t bytes, struct err *e)
{
    const char *body = memmem(part, bytes, "\r\n\r\n", 4);
    const char *name = body != NULL ? memmem(part, (size_t)(body - part), " name=\"", 7) : NULL;
    if (name == NULL)
        return err_set(e, E_INVALID, "a part of the form has no name");
    name += 7;
    const char *end = memchr(name, '"', (size_t)(body - name));
    if (end == NULL)
        return err_set(e, E_INVALID, "the name of a part does not end");
    body += 4;
    return add(fields, name, (size_t)(end - name), body, bytes - (size_t)(body - part), e);
}

static enum status parse_multipart(const char *boundary, const char *body, size_t bytes, json_t *fields, struct err *e)
{
    char mark[128];
    int mark_bytes = snprintf(mark, sizeof mark, "\r\n--%s", boundary);
    const char *end = body + bytes;
    if ((size_t)mark_bytes >= sizeof mark || bytes < (size_t)mark_bytes ||
        memcmp(body, mark + 2, (size_t)mark_bytes - 2) != 0)
        return err_set(e, E_INVALID, "the form does not begin with its boundary");
    const char *at = body + mark_bytes - 2; /* behind a boundary */
    while (end - at >= 2 && memcmp(at, "\r\n", 2) == 0) {
        const char *part = at + 2, *next = memmem(part, (size_t)(end - part), mark, (size_t)mark_bytes);
        if (next == NULL)
            return err_set(e, E_INVALID, "the form does not end with its boundary");
        enum status st = add_part(fields, part, (size_t)(next - part), e);
        if (st != OK)
            return st;
        at = next + mark_bytes;
    }
    if (end - at < 2 || memcmp(at, "--", 2) != 0)
        return err_set(e, E_INVALID, "the form does not end with its boundary");
    return OK;
}

/* ---- urlencoded ---- */

/* In place; the length that is left. */
static size_t decode(char *text, size_t bytes)
{
    size_t used = 0;
    for (size_t i = 0; i < bytes; i++) {
        unsigned value;
        if (text[i] == '%' && i + 2 < bytes && isxdigit((unsigned char)text[i + 1]) &&
            isxdigit((unsigned char)text[i + 2])) {
            sscanf(text + i + 1, "%2x", &value);
            text[used++] = (char)value;
            i += 2;
        } else {
            text[used++] = text[i] == '+' ? ' ' : text[i];
        }
    }
    return used;
}

static enum status parse_urlencoded(const char *body, size_t bytes, json_t *fields, struct err *e)
{
    char *copy = strndup(body, bytes), *rest = copy, *pair;
    enum status st = copy != NULL ? OK : err_set(e, E_NOMEM, "out of memory");
    while (st == OK && (pair = strsep(&rest, "&")) != NULL) {
        if (pair[0] == '\0')
            continue;
        char *value = pair + strcspn(pair, "=");
        size_t name_bytes = (size_t)(value - pair), value_bytes = *value == '=' ? strlen(++value) : 0;
        name_bytes = decode(pair, name_bytes);
        value_bytes = decode(value, value_bytes);
        st = add(fields, pair, name_bytes, value, value_bytes, e);
    }
    free(copy);
    return st;
}

/* ---- both ---- */

enum status form_parse(const char *content_type, const char *body, size_t bytes, json_t **ret, struct err *e)
{
    static const char multipart[] = "multipart/form-data", urlencoded[] = "application/x-www-form-urlencoded";
    char boundary[96] = "";
    json_t *fields = json_array();
    enum status st;
    const char *parameter = content_type != NULL ? strcasestr(content_type, "boundary=") : NULL;
    if (parameter != NULL)
        sscanf(parameter + 9 + (parameter[9] == '"'), "%95[^\";]", boundary);
    if (content_type != NULL && strncasecmp(content_type, multipart, strlen(multipart)) == 0 && boundary[0] != '\0')
        st = parse_multipart(boundary, body, bytes, fields, e);
    else if (content_type != NULL && strncasecmp(content_type, urlencoded, strlen(urlencoded)) == 0)
        st = parse_urlencoded(body, bytes, fields, e);
    else
        st = err_set(e, E_INVALID, "Content-Type must be multipart/form-data or application/x-www-form-urlencoded");
    if (st == OK)
        *ret = fields;
    else
        json_decref(fields);
    return st;
}

const char *form_value(const json_t *fields, const char *name)
{
    json_t *field;
    size_t i;
    json_array_foreach ((json_t *)fields, i, field) {
        if (strcmp(json_string_value(json_array_get(field, 0)), name) == 0)
            return json_string_value(json_array_get(field, 1));
    }
    return NULL;
}

json_t *form_values(const json_t *fields, const char *prefix)
{
    json_t *object = json_object(), *field;
    size_t i, bytes = strlen(prefix);
    json_array_foreach ((json_t *)fields, i, field) {
        const char *name = json_string_value(json_array_get(field, 0));
        if (strncmp(name, prefix, bytes) == 0)
            json_object_set(object, name + bytes, json_array_get(field, 1));
    }
    return object;
}
