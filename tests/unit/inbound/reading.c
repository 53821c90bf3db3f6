#include "reading.h"

#include <criterion/criterion.h>
#include <string.h>
#include <strings.h>

#include "followupd/inbound/reply.h"

void form_begin(struct buf *b)
{
    buf_init(b, 64 * 1024 * 1024);
}

static void part(struct buf *b, const char *head, const char *content)
{
    cr_assert_eq(buf_format(b, "--xYzZY\r\n%s\r\n\r\n", head), OK);
    cr_assert_eq(buf_text(b, content), OK);
    cr_assert_eq(buf_text(b, "\r\n"), OK);
}

void form_field(struct buf *b, const char *name, const char *value)
{
    char head[200];
    snprintf(head, sizeof head, "Content-Disposition: form-data; name=\"%s\"", name);
    part(b, head, value);
}

void form_file(struct buf *b, const char *name, const char *content_type, const char *content)
{
    char head[300];
    snprintf(head, sizeof head,
             "Content-Disposition: form-data; name=\"%s\"; filename=\"a file.bin\"\r\nContent-Type: %s", name,
             content_type);
    part(b, head, content);
}

void form_end(struct buf *b)
{
    cr_assert_eq(buf_text(b, "--xYzZY--\r\n"), OK);
}

json_t *read_one(const char *type, const char *content_type, const void *body, size_t bytes)
{
    json_t *events = NULL;
    struct err e = { "" };
    enum status st = reply_read(type, content_type, body, bytes, &events, &e);
    cr_assert_eq(st, OK, "%s", e.text);
    cr_assert_eq(json_array_size(events), 1);
    json_t *event = json_incref(json_array_get(events, 0));
    json_decref(events);
    return event;
}

const char *text_of(const json_t *event, const char *key)
{
    return json_string_value(json_object_get(event, key));
}

const char *list_of(json_t *event, const char *key)
{
    char joined[4096] = "", kept[64];
    size_t i;
    json_t *value;
    json_array_foreach (json_object_get(event, key), i, value) {
        cr_assert(json_is_string(value));
        strncat(joined, i > 0 ? " " : "", sizeof joined - strlen(joined) - 1);
        strncat(joined, json_string_value(value), sizeof joined - strlen(joined) - 1);
    }
    snprintf(kept, sizeof kept, "test:%s", key);
    json_object_set_new(event, kept, json_string(joined));
    return text_of(event, kept);
}

const char *header_of(const json_t *event, const char *name)
{
    size_t i;
    json_t *pair;
    json_array_foreach (json_object_get(event, "headers"), i, pair) {
        if (strcasecmp(json_string_value(json_array_get(pair, 0)), name) == 0)
            return json_string_value(json_array_get(pair, 1));
    }
    return NULL;
}

enum status refused(const char *type, const char *content_type, const void *body, size_t bytes, struct err *e)
{
    json_t *events = NULL;
    *e = (struct err){ "" };
    enum status st = reply_read(type, content_type, body, bytes, &events, e);
    cr_assert_neq(st, OK);
    cr_assert_null(events);
    cr_assert_neq(e->text[0], '\0');
    return st;
}
