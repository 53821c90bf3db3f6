/* Mailgun: one event, in `event-data`; our variables in its `user-variables`. */
#include <stdio.h>
#include <string.h>

#include "source.h"
#include "tell.h"

/* "failed" is three things: not even tried, because the address is on a suppression list of theirs; given up; still trying.
 * "old" is said when they gave up after the last try, and has been seen with severity temporary. */
static const char *kind_of(const char *event, const char *severity, const char *reason)
{
    static const char *const same[] = { "accepted", "delivered", "opened", "complained", "unsubscribed", "clicked" };
    if (strcmp(event, "failed") == 0) {
        if (strncmp(reason, "suppress-", 9) == 0)
            return "failed";
        return strcmp(severity, "temporary") == 0 && strcmp(reason, "old") != 0 ? "delayed" : "bounced";
    }
    if (strcmp(event, "rejected") == 0)
        return "failed";
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        if (strcmp(event, same[i]) == 0)
            return same[i];
    }
    return NULL; /* stored, and whatever comes to be */
}

/* Their ids are unique within a day. */
static void put_id_and_time(struct telling *t, json_t *event, const json_t *data)
{
    char at_text[WALL_TEXT_BYTES];
    struct wall at = { 0 };
    const char *id = tell_need(t, data, "event-data", "id");
    if (!tell_seconds(t, data, "event-data", "timestamp", &at) && t->st == OK)
        t->st = err_set(t->e, E_INVALID, "mailgun: event-data.timestamp is missing");
    if (t->st != OK)
        return;
    tell_at(t, event, at);
    wall_text(at, at_text, sizeof at_text);
    at_text[strlen("2026-01-01")] = '\0';
    tell_id(t, event, id, at_text, NULL);
}

static void put_delivery(struct telling *t, json_t *event, const json_t *data)
{
    const char path[] = "event-data.delivery-status";
    const json_t *delivery = tell_object(t, data, "event-data", "delivery-status");
    const json_t *code = json_object_get(delivery, "code");
    if (json_is_integer(code)) {
        char text[24];
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(code));
        tell_put(t, event, "smtp_code", text);
    } else {
        tell_copy(t, event, "smtp_code", delivery, path, "code");
    }
    tell_copy(t, event, "status", delivery, path, "enhanced-code");
    tell_copy(t, event, "type", delivery, path, "bounce-type");
    const char *message = tell_text(t, delivery, path, "message");
    if (message == NULL || message[0] == '\0')
        message = tell_text(t, delivery, path, "description");
    tell_detail(t, event, message);
}

static void read_event(struct telling *t, const json_t *data)
{
    const char *name = tell_need(t, data, "event-data", "event");
    const char *severity = tell_text(t, data, "event-data", "severity");
    const char *reason = tell_text(t, data, "event-data", "reason");
    const char *kind =
        name != NULL ? kind_of(name, severity != NULL ? severity : "", reason != NULL ? reason : "") : NULL;
    if (kind == NULL)
        return;
    json_t *event = tell_begin(t, kind);
    put_id_and_time(t, event, data);
    tell_put(t, event, "severity", severity);
    tell_put(t, event, "reason", reason);
    tell_copy(t, event, "recipient", data, "event-data", "recipient");
    tell_copy(t, event, "ip", data, "event-data", "ip");
    tell_copy(t, event, "url", data, "event-data", "url");
    tell_copy(t, event, "fu_id", tell_object(t, data, "event-data", "user-variables"), "event-data.user-variables",
              "fu_id");
    const json_t *message = tell_object(t, data, "event-data", "message");
    const json_t *headers = tell_object(t, message, "event-data.message", "headers");
    tell_copy(t, event, "provider_message_id", headers, "event-data.message.headers", "message-id");
    tell_copy(t, event, "rfc_message_id", headers, "event-data.message.headers", "message-id");
    const json_t *client = tell_object(t, data, "event-data", "client-info");
    tell_copy(t, event, "user_agent", client, "event-data.client-info", "user-agent");
    const char *bot = tell_text(t, client, "event-data.client-info", "bot");
    if (bot != NULL && bot[0] != '\0')
        tell_put(t, event, "machine", "true");
    put_delivery(t, event, data);
    const json_t *reject = tell_object(t, data, "event-data", "reject");
    tell_copy(t, event, "reason", reject, "event-data.reject", "reason");
    tell_detail(t, event, tell_text(t, reject, "event-data.reject", "description"));
}

void event_mailgun(struct telling *t, const struct webhook_request *r)
{
    json_t *body = tell_parse(t, "mailgun", JSON_OBJECT, r->body, r->bytes);
    const json_t *data = tell_object(t, body, "", "event-data");
    if (t->st == OK && data == NULL)
        t->st = err_set(t->e, E_INVALID, "mailgun: event-data is missing");
    read_event(t, data);
    json_decref(body);
}
