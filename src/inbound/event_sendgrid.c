/* SendGrid: an array of events, our custom_args merged into each. */
#include <stdio.h>
#include <string.h>

#include "source.h"
#include "tell.h"

/* group_resubscribe and whatever comes to be: no event of ours. */
static const char *kind_of(const char *event)
{
    static const char *const kinds[][2] = {
        { "processed", "accepted" },
        { "delivered", "delivered" },
        { "deferred", "delayed" },
        { "bounce", "bounced" },
        { "dropped", "failed" },
        { "spamreport", "complained" },
        { "unsubscribe", "unsubscribed" },
        { "group_unsubscribe", "unsubscribed" },
        { "open", "opened" },
        { "click", "clicked" },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(event, kinds[i][0]) == 0)
            return kinds[i][1];
    }
    return NULL;
}

static void read_event(struct telling *t, const json_t *item)
{
    const char *name = tell_need(t, item, "", "event");
    const char *kind = name != NULL ? kind_of(name) : NULL;
    struct wall at;
    if (kind == NULL)
        return;
    json_t *event = tell_begin(t, kind);
    tell_id(t, event, tell_need(t, item, "", "sg_event_id"), NULL);
    if (tell_seconds(t, item, "", "timestamp", &at))
        tell_at(t, event, at);
    tell_copy(t, event, "fu_id", item, "", "fu_id");
    tell_copy(t, event, "provider_message_id", item, "", "sg_message_id"); /* an asynchronous bounce has none */
    tell_copy(t, event, "rfc_message_id", item, "", "smtp-id");
    tell_copy(t, event, "recipient", item, "", "email");
    tell_copy(t, event, "type", item, "", "type");
    tell_copy(t, event, "classification", item, "", "bounce_classification");
    tell_copy(t, event, "reason", item, "", "reason");
    tell_copy(t, event, "status", item, "", "status");
    const char *reason = tell_text(t, item, "", "reason"), *response = tell_text(t, item, "", "response");
    tell_detail(t, event, reason != NULL ? reason : response);
    tell_copy(t, event, "user_agent", item, "", "useragent");
    tell_copy(t, event, "ip", item, "", "ip");
    tell_copy(t, event, "url", item, "", "url");
    if (tell_true(t, item, "", "sg_machine_open"))
        tell_put(t, event, "machine", "true");
}

void event_sendgrid(struct telling *t, const struct webhook_request *r)
{
    json_t *body = tell_parse(t, "sendgrid", JSON_ARRAY, r->body, r->bytes), *item;
    size_t i;
    json_array_foreach (body, i, item) {
        snprintf(t->item, sizeof t->item, "[%zu].", i);
        if (t->st == OK && !json_is_object(item))
            t->st = err_set(t->e, E_INVALID, "sendgrid: [%zu] is no object", i);
        read_event(t, item);
    }
    json_decref(body);
}
