/* tell: a provider's JSON read into typed events (webhook.h). Private to src/inbound.
 *
 * The first thing that goes wrong stays in t->st, with its text, and every later call does nothing: a reader says what it
 * wants, line by line, and tell_finish gives the answer. Values that are absent or null are no mistake; of a wrong type they
 * are. `path` names the object for the text, "" for the outermost; the text is "sendgrid: [3].timestamp is no number".
 * What tell_put is given is cut at TELL_VALUE_BYTES_MAX, at the end of a character. */
#ifndef FOLLOWUPD_INBOUND_TELL_H
#define FOLLOWUPD_INBOUND_TELL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "followupd/base/clock.h"
#include "followupd/base/status.h"

#define TELL_VALUE_BYTES_MAX 1024

struct telling {
    const char *type; /* of the provider; borrowed */
    char item[24];    /* "[3]." where the body is a list, else "" */
    json_t *events;   /* owned */
    enum status st;
    struct err *e;
};

void tell_init(struct telling *t, const char *type, struct err *e);
/* t->st; OK: the events are the caller's. */
enum status tell_finish(struct telling *t, json_t **ret);

/* The body, or a text inside it; NULL: t->st says why. Owned. */
json_t *tell_parse(struct telling *t, const char *what, json_type type, const void *text, size_t bytes);

/* Members of an object, which may be NULL. NULL, false: absent, or gone wrong. Borrowed. */
const char *tell_text(struct telling *t, const json_t *object, const char *path, const char *key);
const json_t *tell_object(struct telling *t, const json_t *object, const char *path, const char *key);
const json_t *tell_array(struct telling *t, const json_t *object, const char *path, const char *key);
bool tell_true(struct telling *t, const json_t *object, const char *path, const char *key);
/* The same where it must be there. */
const char *tell_need(struct telling *t, const json_t *object, const char *path, const char *key);

/* A new event in the list, borrowed from it; NULL: gone wrong, which the calls below take. */
json_t *tell_begin(struct telling *t, const char *kind);
/* event_id of the parts with a blank between; NULL ends them. */
void tell_id(struct telling *t, json_t *event, const char *part, ...) __attribute__((sentinel));
void tell_put(struct telling *t, json_t *event, const char *key, const char *value);
void tell_detail(struct telling *t, json_t *event, const char *value);
/* event[key] = object[from], a text. */
void tell_copy(struct telling *t, json_t *event, const char *key, const json_t *object, const char *path,
               const char *from);

/* Seconds since 1970, whole or not. True: *ret is written. */
bool tell_seconds(struct telling *t, const json_t *object, const char *path, const char *key, struct wall *ret);
/* event.occurred_at, of a wall or of a member in ISO 8601 (absent: none). */
void tell_at(struct telling *t, json_t *event, struct wall at);
void tell_at_iso(struct telling *t, json_t *event, const json_t *object, const char *path, const char *key);

#endif
