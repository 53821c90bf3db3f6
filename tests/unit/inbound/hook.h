/* hook: how the tests of signed webhooks make a request and a source. */
#ifndef FOLLOWUPD_TEST_INBOUND_HOOK_H
#define FOLLOWUPD_TEST_INBOUND_HOOK_H

#include <jansson.h>

#include "followupd/inbound/webhook.h"

/* headers: a JSON object, name to value; names in any case. Borrows all. */
struct webhook_request hook_request(const json_t *headers, const char *body, size_t bytes);

/* A source with these settings; the test fails when it is refused. */
struct webhook_source *hook_source(const struct webhook_settings *settings);

/* A source of that type, with keys of no importance: to read events with. */
struct webhook_source *hook_reader(const char *type);

/* The events of a body; the test fails when it is refused. Owned. */
json_t *hook_events(const char *type, const char *body);
/* The only one of them. Owned. */
json_t *hook_event(const char *type, const char *body);
/* Fails unless the body is refused with a text in which `words` are. */
void hook_refuses(const char *type, const char *body, const char *words);

/* Fails unless the event has exactly these members: a JSON object, with ' for ". */
void hook_expect(const json_t *event, const char *members);

#endif
