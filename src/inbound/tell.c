#include "tell.h"

#include <math.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "followupd/base/utf8.h"
#include "followupd/inbound/webhook.h"
#include "iso_time.h"
#include "strict_json.h"

#define SECONDS_MAX 253402300799.0 /* the end of the year 9999 */

void tell_init(struct telling *t, const char *type, struct err *e)
{
    *t = (struct telling){ .type = type, .events = json_array(), .e = e };
    t->st = t->events != NULL ? OK : err_set(e, E_NOMEM, "out of memory");
}

enum status tell_finish(struct telling *t, json_t **ret)
{
    if (t->st == OK)
        *ret = t->events;
    else
        json_decref(t->events);
    t->events = NULL;
    return t->st;
}

json_t *tell_parse(struct telling *t, const char *what, json_type type, const void *text, size_t bytes)
{
    json_t *json = NULL;
    if (t->st == OK)
        t->st = strict_json(what, type, text, bytes, &json, t->e);
    return json;
}

/* --- members ------------------------------------------------------------------------------------------------------- */

static void wrong(struct telling *t, const char *path, const char *key, const char *what)
{
    t->st = err_set(t->e, E_INVALID, "%s: %s%s%s%s %s", t->type, t->item, path, path[0] != '\0' ? "." : "", key, what);
}

static const json_t *member(struct telling *t, const json_t *object, const char *key)
{
    const json_t *value = t->st == OK ? json_object_get(object, key) : NULL;
    return json_is_null(value) ? NULL : value;
}

static const json_t *member_of(struct telling *t, json_type type, const json_t *object, const char *path,
                               const char *key, const char *what)
{
    const json_t *value = member(t, object, key);
    if (value != NULL && json_typeof(value) != type) {
        wrong(t, path, key, what);
        value = NULL;
    }
    return value;
}

const char *tell_text(struct telling *t, const json_t *object, const char *path, const char *key)
{
    return json_string_value(member_of(t, JSON_STRING, object, path, key, "is no string"));
}

const json_t *tell_object(struct telling *t, const json_t *object, const char *path, const char *key)
{
    return member_of(t, JSON_OBJECT, object, path, key, "is no object");
}

const json_t *tell_array(struct telling *t, const json_t *object, const char *path, const char *key)
{
    return member_of(t, JSON_ARRAY, object, path, key, "is no array");
}

bool tell_true(struct telling *t, const json_t *object, const char *path, const char *key)
{
    const json_t *value = member(t, object, key);
    if (value != NULL && !json_is_boolean(value))
        wrong(t, path, key, "is neither true nor false");
    return json_is_true(value);
}

const char *tell_need(struct telling *t, const json_t *object, const char *path, const char *key)
{
    const char *text = tell_text(t, object, path, key);
    if (t->st == OK && (text == NULL || text[0] == '\0'))
        wrong(t, path, key, "is missing");
    return t->st == OK ? text : NULL;
}

bool tell_seconds(struct telling *t, const json_t *object, const char *path, const char *key, struct wall *ret)
{
    const json_t *value = member(t, object, key);
    double seconds = json_number_value(value);
    if (value == NULL)
        return false;
    if (!json_is_number(value) || !(seconds >= 0 && seconds <= SECONDS_MAX)) {
        wrong(t, path, key, "is no number of seconds since 1970");
        return false;
    }
    *ret = (struct wall){ json_is_integer(value) ? json_integer_value(value) * 1000000 : llround(seconds * 1e6) };
    return true;
}

/* --- events -------------------------------------------------------------------------------------------------------- */

/* value: UTF-8. */
static void set(struct telling *t, json_t *event, const char *key, const char *value, size_t bytes)
{
    if (t->st == OK && json_object_set_new_nocheck(event, key, json_stringn_nocheck(value, bytes)) != 0)
        t->st = err_set(t->e, E_NOMEM, "out of memory");
}

json_t *tell_begin(struct telling *t, const char *kind)
{
    if (t->st == OK && json_array_size(t->events) >= WEBHOOK_EVENTS_MAX)
        t->st = err_set(t->e, E_LIMIT, "%s: more than %d events", t->type, WEBHOOK_EVENTS_MAX);
    json_t *event = t->st == OK ? json_object() : NULL;
    if (t->st == OK && json_array_append_new(t->events, event) != 0) /* which takes it also then */
        t->st = err_set(t->e, E_NOMEM, "out of memory");
    tell_put(t, event, "kind", kind);
    tell_put(t, event, "provider_type", t->type);
    return t->st == OK ? event : NULL;
}

static void put_cut(struct telling *t, json_t *event, const char *key, const char *value, size_t bytes_max)
{
    size_t bytes = strlen(value), one;
    if (bytes > bytes_max || !utf8_valid(value, bytes)) {
        for (bytes = 0; (one = utf8_length(value + bytes, 4)) > 0 && bytes + one <= bytes_max;)
            bytes += one;
    }
    set(t, event, key, value, bytes);
}

void tell_put(struct telling *t, json_t *event, const char *key, const char *value)
{
    if (t->st == OK && value != NULL && value[0] != '\0')
        put_cut(t, event, key, value, TELL_VALUE_BYTES_MAX);
}

void tell_detail(struct telling *t, json_t *event, const char *value)
{
    if (t->st == OK && value != NULL && value[0] != '\0')
        put_cut(t, event, "detail", value, WEBHOOK_DETAIL_BYTES_MAX);
}

void tell_copy(struct telling *t, json_t *event, const char *key, const json_t *object, const char *path,
               const char *from)
{
    tell_put(t, event, key, tell_text(t, object, path, from));
}

/* The hash is of everything that the id would have been, so ids that differ late stay apart. */
void tell_id(struct telling *t, json_t *event, const char *part, ...)
{
    char id[WEBHOOK_EVENT_ID_BYTES_MAX + 1], hex[sizeof "sha256:" + 2 * crypto_hash_sha256_BYTES] = "sha256:";
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    size_t bytes = 0;
    va_list parts;
    if (t->st != OK)
        return;
    crypto_hash_sha256_init(&state);
    va_start(parts, part);
    for (const char *next = part; next != NULL; next = va_arg(parts, const char *)) {
        const char *pieces[] = { next == part ? "" : " ", next };
        for (size_t i = 0; i < 2; i++) {
            size_t count = strlen(pieces[i]);
            crypto_hash_sha256_update(&state, (const uint8_t *)pieces[i], count);
            if (bytes + count < sizeof id)
                memcpy(id + bytes, pieces[i], count);
            bytes += count;
        }
    }
    va_end(parts);
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(hex + 7, sizeof hex - 7, hash, sizeof hash);
    if (bytes < sizeof id && utf8_valid(id, bytes)) /* a header's bytes may be anything */
        set(t, event, "event_id", id, bytes);
    else
        set(t, event, "event_id", hex, strlen(hex));
}

void tell_at(struct telling *t, json_t *event, struct wall at)
{
    char text[WALL_TEXT_BYTES];
    wall_text(at, text, sizeof text);
    tell_put(t, event, "occurred_at", text);
}

void tell_at_iso(struct telling *t, json_t *event, const json_t *object, const char *path, const char *key)
{
    const char *text = tell_text(t, object, path, key);
    struct wall at;
    if (text != NULL && iso_time(text, &at))
        tell_at(t, event, at);
    else if (text != NULL)
        wrong(t, path, key, "is no time in ISO 8601");
}
