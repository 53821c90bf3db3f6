/* Amazon SES: JSON in the Message of an SNS envelope, from event publishing (eventType) or an identity's notifications
 * (notificationType, no tags). An event may be about several recipients and becomes one of ours for each; opens and clicks
 * do not name theirs. event_id: the envelope's MessageId and the recipient. */
#include <stdio.h>
#include <string.h>

#include "sns.h"
#include "source.h"
#include "tell.h"

struct notice {
    const char *id;       /* of the envelope */
    const json_t *mail;   /* NULL: absent */
    const json_t *detail; /* the object that has the event's name */
    const char *path;     /* its name */
};

/* The Message-ID that SES wrote: the region stands in the ARN of the identity. */
static void put_message_id(struct telling *t, json_t *event, const struct notice *n)
{
    char region[32], id[256];
    const char *arn = tell_text(t, n->mail, "mail", "sourceArn"),
               *message_id = tell_text(t, n->mail, "mail", "messageId");
    if (arn == NULL || message_id == NULL || sscanf(arn, "arn:%*[^:]:ses:%31[a-z0-9-]:", region) != 1)
        return;
    int bytes = snprintf(id, sizeof id, "<%s@%s.amazonses.com>", message_id,
                         strcmp(region, "us-east-1") == 0 ? "email" : region);
    if (bytes < (int)sizeof id)
        tell_put(t, event, "rfc_message_id", id);
}

/* What every event of the notice has. recipient: NULL when not named. */
static json_t *begin(struct telling *t, const struct notice *n, const char *kind, const char *recipient)
{
    json_t *event = tell_begin(t, kind);
    const char *at = tell_text(t, n->detail, n->path, "timestamp");
    tell_id(t, event, n->id, recipient, NULL);
    tell_put(t, event, "recipient", recipient);
    tell_at_iso(t, event, at != NULL ? n->detail : n->mail, at != NULL ? n->path : "mail", "timestamp");
    tell_copy(t, event, "provider_message_id", n->mail, "mail", "messageId");
    put_message_id(t, event, n);
    const json_t *tags = tell_object(t, n->mail, "mail", "tags");
    const json_t *ours = json_array_get(tell_array(t, tags, "mail.tags", "fu_id"), 0);
    tell_put(t, event, "fu_id", json_string_value(ours));
    return event;
}

/* The address of an item of a list: a text, or an object with emailAddress. NULL: gone wrong. */
static const char *address_of(struct telling *t, const struct notice *n, const char *list_key, const json_t *item)
{
    if (t->st == OK && json_is_string(item))
        return json_string_value(item);
    if (t->st == OK && !json_is_object(item))
        t->st = err_set(t->e, E_INVALID, "ses: %s.%s: an item is no recipient", n->path, list_key);
    return tell_need(t, item, list_key, "emailAddress");
}

/* What is said of a recipient: bounced and delayed ones. */
static void put_recipient_words(struct telling *t, json_t *event, const json_t *item, const char *list_key)
{
    if (!json_is_object(item))
        return;
    tell_copy(t, event, "status", item, list_key, "status");
    tell_copy(t, event, "action", item, list_key, "action");
    tell_detail(t, event, tell_text(t, item, list_key, "diagnosticCode"));
}

/* The provider's words: event[key] = detail[from]. */
struct word {
    const char *key, *from;
};

/* One event for each recipient in list[list_key]; when there is none, one without. */
static void tell_each(struct telling *t, const struct notice *n, const char *kind, const json_t *list_of,
                      const char *list_path, const char *list_key, const struct word *words, size_t words_count)
{
    const json_t *list = tell_array(t, list_of, list_path, list_key);
    size_t count = json_array_size(list);
    for (size_t i = 0; i < (count > 0 ? count : 1) && t->st == OK; i++) {
        const json_t *item = json_array_get(list, i);
        json_t *event = begin(t, n, kind, item != NULL ? address_of(t, n, list_key, item) : NULL);
        for (size_t w = 0; w < words_count; w++) {
            if (strcmp(words[w].key, "detail") == 0)
                tell_detail(t, event, tell_text(t, n->detail, n->path, words[w].from));
            else
                tell_copy(t, event, words[w].key, n->detail, n->path, words[w].from);
        }
        put_recipient_words(t, event, item, list_key);
    }
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void read_bounce(struct telling *t, const struct notice *n)
{
    static const struct word words[] = { { "type", "bounceType" }, { "subtype", "bounceSubType" } };
    const char *subtype = tell_text(t, n->detail, n->path, "bounceSubType");
    bool was_tried =
        subtype == NULL || (strcmp(subtype, "Suppressed") != 0 && strcmp(subtype, "OnAccountSuppressionList") != 0);
    tell_each(t, n, was_tried ? "bounced" : "failed", n->detail, n->path, "bouncedRecipients", words, COUNT(words));
}

static void read_complaint(struct telling *t, const struct notice *n)
{
    static const struct word words[] = { { "type", "complaintFeedbackType" },
                                         { "subtype", "complaintSubType" },
                                         { "user_agent", "userAgent" } };
    tell_each(t, n, "complained", n->detail, n->path, "complainedRecipients", words, COUNT(words));
}

static void read_delivery(struct telling *t, const struct notice *n)
{
    static const struct word words[] = { { "detail", "smtpResponse" } };
    tell_each(t, n, "delivered", n->detail, n->path, "recipients", words, COUNT(words));
}

static void read_delay(struct telling *t, const struct notice *n)
{
    static const struct word words[] = { { "type", "delayType" } };
    tell_each(t, n, "delayed", n->detail, n->path, "delayedRecipients", words, COUNT(words));
}

static void read_send(struct telling *t, const struct notice *n)
{
    tell_each(t, n, "accepted", n->mail, "mail", "destination", NULL, 0);
}

static void read_reject(struct telling *t, const struct notice *n)
{
    static const struct word words[] = { { "reason", "reason" }, { "detail", "reason" } };
    tell_each(t, n, "failed", n->mail, "mail", "destination", words, COUNT(words));
}

static void read_failure(struct telling *t, const struct notice *n)
{
    static const struct word words[] = { { "detail", "errorMessage" } };
    tell_each(t, n, "failed", n->mail, "mail", "destination", words, COUNT(words));
}

/* Opens and clicks. We send to one recipient at a time: when the mail has one, it was that one, or their machine. */
static void read_tracking(struct telling *t, const struct notice *n)
{
    const json_t *destination = tell_array(t, n->mail, "mail", "destination");
    const json_t *only = json_array_size(destination) == 1 ? json_array_get(destination, 0) : NULL;
    json_t *event = begin(t, n, strcmp(n->path, "click") == 0 ? "clicked" : "opened", NULL);
    tell_put(t, event, "recipient", json_string_value(only));
    tell_copy(t, event, "user_agent", n->detail, n->path, "userAgent");
    tell_copy(t, event, "ip", n->detail, n->path, "ipAddress");
    tell_copy(t, event, "url", n->detail, n->path, "link");
}

#define TOPICS_MAX 100 /* looked at; Amazon allows a list 20 */

static bool is_opt_out(struct telling *t, const json_t *item, const char *path)
{
    const char *status = tell_text(t, item, path, "subscriptionStatus");
    return status != NULL && strcmp(status, "OptOut") == 0;
}

static bool opted_out(struct telling *t, const json_t *topics, const char *path, const char *topic)
{
    for (size_t i = 0; i < json_array_size(topics) && i < TOPICS_MAX; i++) {
        const json_t *item = json_array_get(topics, i);
        const char *name = tell_text(t, item, path, "topicName");
        if (name != NULL && strcmp(name, topic) == 0 && is_opt_out(t, item, path))
            return true;
    }
    return false;
}

/* Of everything, or of a topic that the address had not opted out of before; the rest is no No. */
static void read_subscription(struct telling *t, const struct notice *n)
{
    const char fresh_path[] = "subscription.newTopicPreferences", old_path[] = "subscription.oldTopicPreferences";
    const json_t *fresh = tell_object(t, n->detail, n->path, "newTopicPreferences");
    const json_t *old = tell_object(t, n->detail, n->path, "oldTopicPreferences");
    const json_t *topics = tell_array(t, fresh, fresh_path, "topicSubscriptionStatus");
    const json_t *topics_before = tell_array(t, old, old_path, "topicSubscriptionStatus");
    bool leaves = tell_true(t, fresh, fresh_path, "unsubscribeAll");
    for (size_t i = 0; i < json_array_size(topics) && i < TOPICS_MAX && !leaves; i++) {
        const json_t *item = json_array_get(topics, i);
        const char *topic = tell_text(t, item, fresh_path, "topicName");
        leaves = topic != NULL && is_opt_out(t, item, fresh_path) && !opted_out(t, topics_before, old_path, topic);
    }
    if (leaves)
        tell_each(t, n, "unsubscribed", n->mail, "mail", "destination", NULL, 0);
}

static void read_message(struct telling *t, const char *id, const json_t *message)
{
    static const struct {
        const char *name, *path;
        void (*read)(struct telling *t, const struct notice *n);
    } types[] = {
        { "Send", "send", read_send },
        { "Delivery", "delivery", read_delivery },
        { "DeliveryDelay", "deliveryDelay", read_delay },
        { "Bounce", "bounce", read_bounce },
        { "Reject", "reject", read_reject },
        { "Rendering Failure", "failure", read_failure },
        { "Complaint", "complaint", read_complaint },
        { "Subscription", "subscription", read_subscription },
        { "Open", "open", read_tracking },
        { "Click", "click", read_tracking },
    };
    const char *type = tell_text(t, message, "Message", "eventType");
    if (type == NULL)
        type = tell_text(t, message, "Message", "notificationType"); /* Received: a mail that came in, for /inbound/ */
    for (size_t i = 0; i < COUNT(types) && type != NULL; i++) {
        if (strcmp(type, types[i].name) != 0)
            continue;
        struct notice n = { .id = id, .path = types[i].path };
        n.mail = tell_object(t, message, "Message", "mail");
        n.detail = tell_object(t, message, "Message", types[i].path);
        types[i].read(t, &n);
    }
}

void event_ses(struct telling *t, const struct webhook_request *r)
{
    struct sns n = { 0 };
    t->st = sns_read(r->body, r->bytes, &n, t->e);
    if (t->st != OK)
        return;
    const char *id = tell_need(t, n.json, "", "MessageId");
    const char *type = tell_need(t, n.json, "", "Type"), *text = tell_need(t, n.json, "", "Message");
    /* A text that is no object is told to people: "Successfully validated SNS topic for Amazon SES event publishing." */
    if (t->st == OK && strcmp(type, "Notification") == 0 && text[strspn(text, " \t\r\n")] == '{') {
        json_t *message = tell_parse(t, "ses: Message", JSON_OBJECT, text, n.message_bytes);
        read_message(t, id, message);
        json_decref(message);
    }
    sns_fini(&n);
}
