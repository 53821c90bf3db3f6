#include "followupd/render/template.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/buf.h"

#define FALLBACK_BYTES_MAX 1024

struct tag {
    char name[TEMPLATE_NAME_BYTES_MAX + 1];
    char fallback[FALLBACK_BYTES_MAX + 1]; /* "": none */
};

/* A stretch of the template: borrowed. */
struct span {
    const char *at;
    size_t bytes;
};

static struct span trim(struct span s)
{
    while (s.bytes > 0 && isspace((unsigned char)s.at[0])) {
        s.at++;
        s.bytes--;
    }
    while (s.bytes > 0 && isspace((unsigned char)s.at[s.bytes - 1]))
        s.bytes--;
    return s;
}

static void copy(char *ret, struct span s)
{
    memcpy(ret, s.at, s.bytes);
    ret[s.bytes] = '\0';
}

static bool is_name(struct span s)
{
    if (s.bytes == 0 || s.bytes > TEMPLATE_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < s.bytes; i++) {
        char c = s.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        bool other = (c >= '0' && c <= '9') || c == '.' || c == '-';
        if (!letter && (i == 0 || !other))
            return false;
    }
    return true;
}

/* "... at line 3, column 7" for a place in the text; lines and columns (bytes) count from 1. */
static enum status wrong(const char *text, const char *at, const char *what, struct err *e)
{
    size_t line = 1, column = 1;
    for (const char *p = text; p < at; p++, column++) {
        if (*p == '\n') {
            line++;
            column = 0;
        }
    }
    return err_set(e, E_INVALID, "%s at line %zu, column %zu", what, line, column);
}

/* Reads the tag that begins at `open` ("{{"); *ret_end is what follows its "}}". */
static enum status tag_read(const char *text, const char *open, struct tag *ret, const char **ret_end, struct err *e)
{
    const char *begin = open + 2, *end = strstr(begin, "}}");
    const char *nested = strstr(begin, "{{");
    if (end == NULL || (nested != NULL && nested < end))
        return wrong(text, open, "unclosed {{", e);
    const char *bar = memchr(begin, '|', (size_t)(end - begin));
    struct span name = trim((struct span){ begin, (size_t)((bar != NULL ? bar : end) - begin) });
    if (!is_name(name))
        return wrong(text, open, "not the name of a merge tag", e);
    copy(ret->name, name);
    ret->fallback[0] = '\0';
    if (bar != NULL) {
        struct span fallback = trim((struct span){ bar + 1, (size_t)(end - bar - 1) });
        if (fallback.bytes == 0)
            return wrong(text, open, "empty fallback of a merge tag", e);
        if (fallback.bytes > FALLBACK_BYTES_MAX)
            return wrong(text, open, "fallback of a merge tag over 1024 bytes", e);
        copy(ret->fallback, fallback);
    }
    *ret_end = end + 2;
    return OK;
}

/* ---- values ---- */

static bool is_blank(struct span s)
{
    return trim(s).bytes == 0;
}

/* The text of a value; `number` is where one that is no text is written. False: no value. */
static bool value_text(const json_t *value, char *number, size_t number_bytes, struct span *ret)
{
    switch (value == NULL ? JSON_NULL : json_typeof(value)) {
    case JSON_STRING:
        *ret = (struct span){ json_string_value(value), json_string_length(value) };
        return !is_blank(*ret);
    case JSON_INTEGER:
        snprintf(number, number_bytes, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        snprintf(number, number_bytes, "%.15g", json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        snprintf(number, number_bytes, "%s", json_is_true(value) ? "true" : "false");
        break;
    default:
        return false;
    }
    *ret = (struct span){ number, strlen(number) };
    return true;
}

static enum status add_escaped(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.bytes; i++) {
        char c = s.at[i];
        const char *as = c == '&'    ? "&amp;"
                         : c == '<'  ? "&lt;"
                         : c == '>'  ? "&gt;"
                         : c == '"'  ? "&quot;"
                         : c == '\'' ? "&#39;"
                                     : NULL;
        enum status st = as != NULL ? buf_text(out, as) : buf_add(out, &c, 1);
        if (st != OK)
            return st;
    }
    return OK;
}

static enum status add_tag(struct buf *out, const struct tag *t, enum template_mode mode, const json_t *values,
                           struct err *e)
{
    char number[40];
    struct span s;
    const json_t *value = json_object_get(values, t->name);
    if (json_is_object(value) || json_is_array(value))
        return err_set(e, E_INVALID, "merge tag %s is a list or an object, not text", t->name);
    if (!value_text(value, number, sizeof number, &s)) {
        if (t->fallback[0] == '\0')
            return err_set(e, E_INVALID, "merge tag %s has no value and no fallback", t->name);
        return buf_text(out, t->fallback);
    }
    if (memchr(s.at, '\0', s.bytes) != NULL)
        return err_set(e, E_INVALID, "the value of merge tag %s holds a NUL", t->name);
    return mode == TEMPLATE_HTML ? add_escaped(out, s) : buf_add(out, s.at, s.bytes);
}

bool template_has_value(const json_t *values, const char *name)
{
    char number[40];
    struct span s;
    return value_text(json_object_get(values, name), number, sizeof number, &s);
}

/* ---- the walk ---- */

static enum status render_into(struct buf *out, const char *text, enum template_mode mode, const json_t *values,
                               struct err *e)
{
    for (const char *at = text;;) {
        struct tag tag;
        const char *open = strstr(at, "{{");
        enum status st = buf_add(out, at, open != NULL ? (size_t)(open - at) : strlen(at));
        if (st != OK || open == NULL)
            return st;
        st = tag_read(text, open, &tag, &at, e);
        if (st != OK)
            return st;
        st = add_tag(out, &tag, mode, values, e);
        if (st != OK)
            return st;
    }
}

enum status template_render(const char *text, enum template_mode mode, const json_t *values, char **ret, struct err *e)
{
    struct buf out;
    err_set(e, OK, "%s", "");
    buf_init(&out, TEMPLATE_BYTES_MAX);
    bool fits = strnlen(text, TEMPLATE_BYTES_MAX + 1) <= TEMPLATE_BYTES_MAX;
    enum status st = fits ? render_into(&out, text, mode, values, e) : E_LIMIT;
    /* What is wrong with the template itself is said before what its values lack. */
    enum status checked = st == OK ? OK : template_check(text, NULL, NULL, e);
    if (checked != OK)
        st = checked;
    else if (st == E_LIMIT)
        err_set(e, st, "over %u bytes when its merge tags are filled in", TEMPLATE_BYTES_MAX);
    if (st == OK) {
        *ret = buf_take(&out);
        st = *ret == NULL ? E_NOMEM : OK;
    }
    if (st == E_NOMEM)
        err_set(e, st, "out of memory");
    buf_fini(&out);
    return st;
}

enum status template_check(const char *text, void (*visit)(void *context, const char *name, const char *fallback),
                           void *context, struct err *e)
{
    if (strnlen(text, TEMPLATE_BYTES_MAX + 1) > TEMPLATE_BYTES_MAX)
        return err_set(e, E_LIMIT, "over %u bytes", TEMPLATE_BYTES_MAX);
    const char *open = strstr(text, "{{");
    while (open != NULL) {
        struct tag tag;
        const char *end;
        enum status st = tag_read(text, open, &tag, &end, e);
        if (st != OK)
            return st;
        if (visit != NULL)
            visit(context, tag.name, tag.fallback[0] != '\0' ? tag.fallback : NULL);
        open = strstr(end, "{{");
    }
    return OK;
}

struct search {
    const char *name;
    bool found;
};

static void compare(void *context, const char *name, const char *fallback)
{
    struct search *s = context;
    (void)fallback;
    s->found = s->found || strcmp(name, s->name) == 0;
}

bool template_uses(const char *text, const char *name)
{
    struct search s = { .name = name };
    return template_check(text, compare, &s, NULL) == OK && s.found;
}
