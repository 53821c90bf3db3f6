/* Postmark: one record. Bounces and complaints have an ID; of the others what never changes makes one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "source.h"
#include "tell.h"

/* RecordType:ID. An integer that may be over 2^53. */
static void put_numbered_id(struct telling *t, json_t *event, const json_t *record, const char *record_type)
{
    const json_t *id = json_object_get(record, "ID");
    char text[24];
    if (t->st == OK && !json_is_integer(id))
        t->st = err_set(t->e, E_INVALID, "postmark: ID is no integer");
    snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
    tell_id(t, event, record_type, text, NULL);
}

static void put_composed_id(struct telling *t, json_t *event, const json_t *record, const char *record_type,
                            const char *time_key, const char *link)
{
    const char *message = tell_need(t, record, "", "MessageID");
    const char *recipient = tell_need(t, record, "", "Recipient");
    const char *at = tell_need(t, record, "", time_key);
    tell_id(t, event, record_type, message, recipient, at, link, NULL);
}

static void put_common(struct telling *t, json_t *event, const json_t *record, const char *recipient_key,
                       const char *time_key)
{
    tell_at_iso(t, event, record, "", time_key);
    tell_copy(t, event, "recipient", record, "", recipient_key);
    tell_copy(t, event, "provider_message_id", record, "", "MessageID");
    tell_copy(t, event, "fu_id", tell_object(t, record, "", "Metadata"), "Metadata", "fu_id");
}

/* Bounce and SpamComplaint. */
static void read_bounce(struct telling *t, const json_t *record, const char *record_type)
{
    const char *type = tell_need(t, record, "", "Type");
    if (type == NULL)
        return;
    bool goes_on = strcmp(type, "Transient") == 0 || strcmp(type, "DnsError") == 0;
    bool is_complaint = strcmp(record_type, "SpamComplaint") == 0 || strcmp(type, "SpamComplaint") == 0;
    json_t *event = tell_begin(t, is_complaint ? "complained" : goes_on ? "delayed" : "bounced");
    put_numbered_id(t, event, record, record_type);
    put_common(t, event, record, "Email", "BouncedAt");
    tell_put(t, event, "type", type);
    const char *details = tell_text(t, record, "", "Details");
    tell_detail(t, event, details != NULL && details[0] != '\0' ? details : tell_text(t, record, "", "Description"));
}

static void read_delivery(struct telling *t, const json_t *record, const char *record_type)
{
    json_t *event = tell_begin(t, "delivered");
    put_composed_id(t, event, record, record_type, "DeliveredAt", NULL);
    put_common(t, event, record, "Recipient", "DeliveredAt");
    tell_detail(t, event, tell_text(t, record, "", "Details"));
}

/* Open and Click. */
static void read_tracking(struct telling *t, const json_t *record, const char *record_type)
{
    bool is_click = strcmp(record_type, "Click") == 0;
    const char *link = is_click ? tell_text(t, record, "", "OriginalLink") : NULL;
    json_t *event = tell_begin(t, is_click ? "clicked" : "opened");
    put_composed_id(t, event, record, record_type, "ReceivedAt", link);
    put_common(t, event, record, "Recipient", "ReceivedAt");
    tell_copy(t, event, "user_agent", record, "", "UserAgent");
    tell_copy(t, event, "ip", tell_object(t, record, "", "Geo"), "Geo", "IP");
    tell_put(t, event, "url", link);
}

/* Why somebody came onto the suppression list says what happened. Off the list: no event of ours. */
static void read_subscription(struct telling *t, const json_t *record, const char *record_type)
{
    if (!tell_true(t, record, "", "SuppressSending"))
        return;
    const char *reason = tell_text(t, record, "", "SuppressionReason");
    bool is_bounce = reason != NULL && strcmp(reason, "HardBounce") == 0;
    bool is_complaint = reason != NULL && strcmp(reason, "SpamComplaint") == 0;
    json_t *event = tell_begin(t, is_bounce ? "bounced" : is_complaint ? "complained" : "unsubscribed");
    put_composed_id(t, event, record, record_type, "ChangedAt", NULL);
    put_common(t, event, record, "Recipient", "ChangedAt");
    tell_put(t, event, "reason", reason);
    if (is_bounce)
        tell_put(t, event, "type", reason);
}

void event_postmark(struct telling *t, const struct webhook_request *r)
{
    static const struct {
        const char *name;
        void (*read)(struct telling *t, const json_t *record, const char *record_type);
    } types[] = {
        { "Delivery", read_delivery }, { "Bounce", read_bounce },  { "SpamComplaint", read_bounce },
        { "Open", read_tracking },     { "Click", read_tracking }, { "SubscriptionChange", read_subscription },
    };
    json_t *record = tell_parse(t, "postmark", JSON_OBJECT, r->body, r->bytes);
    const char *type = tell_text(t, record, "", "RecordType"); /* an inbound mail has none */
    for (size_t i = 0; i < sizeof types / sizeof types[0] && type != NULL; i++) {
        if (strcmp(type, types[i].name) == 0)
            types[i].read(t, record, type);
    }
    json_decref(record);
}
