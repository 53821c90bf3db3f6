#include "hook.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *header_of(const void *headers, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)headers, key, value) {
        if (strcasecmp(key, name) == 0)
            return json_string_value(value);
    }
    return NULL;
}

struct webhook_request hook_request(const json_t *headers, const char *body, size_t bytes)
{
    return (struct webhook_request){ .method = "POST",
                                     .path = "/webhooks/test/1",
                                     .content_type = header_of(headers, "content-type"),
                                     .header = header_of,
                                     .headers = headers,
                                     .body = body,
                                     .bytes = bytes };
}

struct webhook_source *hook_source(const struct webhook_settings *settings)
{
    struct webhook_source *s = NULL;
    struct err e = { "" };
    cr_assert_eq(webhook_source_new(settings, &s, &e), OK, "%s", e.text);
    return s;
}

struct webhook_source *hook_reader(const char *type)
{
    struct webhook_settings settings = { .type = type };
    if (strcmp(type, "sendgrid") == 0)
        settings.public_keys[0] = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3G"
                                  "Rqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
    else if (strcmp(type, "ses") == 0)
        settings.topic_arn = "arn:aws:sns:us-east-1:123456789012:followup-events";
    else
        settings.secrets[0] = strcmp(type, "resend") == 0 ? "whsec_c2VjcmV0" : "user:password";
    return hook_source(&settings);
}

static enum status read_events(const char *type, const char *body, json_t **ret, struct err *e)
{
    struct webhook_source *s = hook_reader(type);
    json_t *headers = json_pack("{s:s, s:s}", "Content-Type", "application/json", "svix-id", "msg_1");
    struct webhook_request r = hook_request(headers, body, strlen(body));
    enum status st = webhook_events(s, &r, ret, e);
    json_decref(headers);
    webhook_source_free(s);
    return st;
}

json_t *hook_events(const char *type, const char *body)
{
    json_t *events = NULL;
    struct err e = { "" };
    cr_assert_eq(read_events(type, body, &events, &e), OK, "%s", e.text);
    cr_assert(json_is_array(events));
    return events;
}

json_t *hook_event(const char *type, const char *body)
{
    json_t *events = hook_events(type, body);
    cr_assert_eq(json_array_size(events), 1, "%zu events", json_array_size(events));
    json_t *event = json_incref(json_array_get(events, 0));
    json_decref(events);
    return event;
}

void hook_refuses(const char *type, const char *body, const char *words)
{
    json_t *events = NULL;
    struct err e = { "" };
    enum status st = read_events(type, body, &events, &e);
    cr_expect(st == E_INVALID || st == E_LIMIT, "it was taken: %s", body);
    cr_expect_null(events);
    cr_expect_not_null(strstr(e.text, words), "'%s' is not in '%s'", words, e.text);
}

void hook_expect(const json_t *event, const char *members)
{
    char *text = strdup(members);
    for (char *at = text; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *expected = json_loads(text, 0, NULL);
    cr_assert_not_null(expected, "no JSON: %s", text);
    char *got = json_dumps(event, JSON_SORT_KEYS | JSON_INDENT(1)),
         *want = json_dumps(expected, JSON_SORT_KEYS | JSON_INDENT(1));
    cr_expect_str_eq(got, want);
    free(got);
    free(want);
    json_decref(expected);
    free(text);
}
