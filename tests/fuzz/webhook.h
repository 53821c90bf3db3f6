/* webhook: any body as the event webhook of a provider. The keys are of no importance: no input is authentic, which is held;
 * and what the body tells is read all the same. Events are objects of strings, each with the members that SQL needs, and can
 * be written as JSON without a NUL. */
#ifndef FOLLOWUPD_FUZZ_WEBHOOK_H
#define FOLLOWUPD_FUZZ_WEBHOOK_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "followupd/inbound/webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const char *fuzz_header(const void *content_type, const char *name)
{
    if (strcasecmp(name, "content-type") == 0)
        return content_type;
    return strcasecmp(name, "svix-id") == 0 ? "msg_1" : NULL;
}

static void fuzz_check(const json_t *events)
{
    const json_t *event, *value;
    const char *key;
    size_t i;
    assert(json_is_array(events) && json_array_size(events) <= WEBHOOK_EVENTS_MAX);
    json_array_foreach (events, i, event) {
        const json_t *id = json_object_get(event, "event_id");
        assert(json_string_length(id) > 0 && json_string_length(id) <= WEBHOOK_EVENT_ID_BYTES_MAX);
        assert(json_is_string(json_object_get(event, "kind")) &&
               json_is_string(json_object_get(event, "provider_type")));
        json_object_foreach ((json_t *)event, key, value)
            assert(json_string_length(value) > 0);
    }
    char *text = webhook_events_text(events);
    json_t *again = text != NULL ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL; /* refuses a NUL */
    assert(json_equal(events, again));
    json_decref(again);
    free(text);
}

static inline int fuzz_webhook(const struct webhook_settings *settings, const char *content_type, const uint8_t *data,
                               size_t bytes)
{
    static struct webhook_source *source;
    struct webhook_verified v;
    json_t *events = NULL;
    struct err e = { "" };
    if (source == NULL && webhook_source_new(settings, &source, &e) != OK)
        abort();
    struct webhook_request r = { .method = "POST",
                                 .path = "/",
                                 .content_type = content_type,
                                 .header = fuzz_header,
                                 .headers = content_type,
                                 .body = data,
                                 .bytes = bytes };
    enum webhook_verdict verdict = webhook_verify(source, &r, (struct wall){ 1771803675000000 }, NULL, &v);
    assert(verdict != WEBHOOK_AUTHENTIC && verdict != WEBHOOK_CONFIRMATION && v.why != NULL);
    assert((verdict == WEBHOOK_WANTS_CERTIFICATE) == (strncmp(v.certificate_url, "https://sns.", 12) == 0));
    webhook_verified_fini(&v);
    if (webhook_events(source, &r, &events, &e) == OK)
        fuzz_check(events);
    else
        assert(events == NULL && e.text[0] != '\0');
    json_decref(events);
    return 0;
}

#endif
