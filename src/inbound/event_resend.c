/* Resend: one event, its id in a header. What it is about has several recipients or one, and does not say which it means. */
#include <string.h>

#include "source.h"
#include "tell.h"

/* Of an object {"fu_id": ".."}, or of a list of {"name", "value"}, as they are sent. */
static const char *tag_of(struct telling *t, const json_t *data, const char *name)
{
    const json_t *tags = json_object_get(data, "tags"), *tag;
    size_t i;
    if (!json_is_array(tags))
        return tell_text(t, tell_object(t, data, "data", "tags"), "data.tags", name);
    json_array_foreach (tags, i, tag) {
        const char *key = tell_text(t, tag, "data.tags", "name");
        if (key != NULL && strcmp(key, name) == 0)
            return tell_text(t, tag, "data.tags", "value");
    }
    return NULL;
}

/* The words of the object that has the event's name: bounce, failed, suppressed, click, open. */
static void put_words(struct telling *t, json_t *event, const json_t *data)
{
    static const char *const names[] = { "bounce", "failed", "suppressed", "click", "open" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const json_t *words = tell_object(t, data, "data", names[i]);
        if (words == NULL)
            continue;
        const char *path = names[i];
        tell_copy(t, event, "type", words, path, "type");
        tell_copy(t, event, "subtype", words, path, "subType");
        tell_copy(t, event, "reason", words, path, "reason");
        const char *message = tell_text(t, words, path, "message");
        tell_detail(t, event, message != NULL ? message : tell_text(t, words, path, "reason"));
        tell_copy(t, event, "user_agent", words, path, "userAgent");
        tell_copy(t, event, "ip", words, path, "ipAddress");
        tell_copy(t, event, "url", words, path, "link");
    }
}

static void read_event(struct telling *t, const struct webhook_request *r, const json_t *body, const char *kind)
{
    const json_t *data = tell_object(t, body, "", "data");
    const json_t *to = tell_array(t, data, "data", "to");
    const char *id = svix_id(r);
    if (t->st == OK && id == NULL)
        t->st = err_set(t->e, E_INVALID, "resend: no header with an id");
    json_t *event = tell_begin(t, kind);
    tell_id(t, event, id, NULL);
    tell_at_iso(t, event, body, "", "created_at"); /* of the event; data.created_at is the message's */
    tell_copy(t, event, "provider_message_id", data, "data", "email_id");
    tell_copy(t, event, "rfc_message_id", data, "data", "message_id");
    if (json_array_size(to) == 1)
        tell_put(t, event, "recipient", json_string_value(json_array_get(to, 0)));
    tell_put(t, event, "fu_id", tag_of(t, data, "fu_id"));
    put_words(t, event, data);
}

void event_resend(struct telling *t, const struct webhook_request *r)
{
    static const char *const kinds[][2] = {
        { "email.sent", "accepted" },   { "email.delivered", "delivered" }, { "email.delivery_delayed", "delayed" },
        { "email.bounced", "bounced" }, { "email.failed", "failed" },       { "email.suppressed", "failed" },
        { "email.opened", "opened" },   { "email.clicked", "clicked" },     { "email.complained", "complained" },
    };
    json_t *body = tell_parse(t, "resend", JSON_OBJECT, r->body, r->bytes);
    const char *type = tell_text(t, body, "", "type"); /* absent: authentic, and nothing to us */
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && type != NULL; i++) {
        if (strcmp(type, kinds[i][0]) == 0)
            read_event(t, r, body, kinds[i][1]);
    }
    json_decref(body);
}
