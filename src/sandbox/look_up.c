#include "look_up.h"

#include <jansson.h>
#include <string.h>

#include "api.h"
#include "followupd/base/clock.h"
#include "message.h"
#include "routes.h"
#include "seen.h"
#include "server.h"

/* The youngest that the pages have by now; NULL: none. */
static const struct seen_message *find(const struct provider *p, const char *api, const char *key)
{
    int64_t until_us = wall_now().us - p->look_up_lag_ms * 1000;
    const struct seen_message *s = seen_find(p->seen, api, key);
    while (s != NULL && s->at_us > until_us)
        s = s->older;
    return s;
}

static json_t *postmark_message(const struct seen_message *s)
{
    char id[API_ID_BYTES], at[40];
    api_uuid(&s->message, s->seq, id);
    api_time(s->at_us, at, sizeof at);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:{s:s}}", "MessageID", id, "From", s->message.from, "Subject",
                     s->message.subject, "ReceivedAt", at, "Status", "Sent", "MessageStream", "outbound", "Metadata",
                     "fu_id", s->message.fu_id);
}

void look_up_postmark(void *context, struct exchange *x)
{
    struct provider *p = context;
    const char *fu_id = exchange_query(x, "metadata_fu_id");
    if (!provider_lets_in(p, x, &api_postmark))
        return;
    if (fu_id == NULL || exchange_query(x, "count") == NULL || exchange_query(x, "offset") == NULL) {
        api_postmark.refuse(x, API_INVALID, "count, offset and metadata_fu_id are needed", -1);
        return;
    }
    json_t *messages = json_array();
    for (const struct seen_message *s = find(p, "postmark", fu_id); s != NULL; s = s->older)
        json_array_append_new(messages, postmark_message(s));
    api_answer(x, MHD_HTTP_OK,
               json_pack("{s:I,s:o}", "TotalCount", (json_int_t)json_array_size(messages), "Messages", messages));
}

static json_t *mailgun_items(const struct provider *p, const char *message_id)
{
    json_t *items = json_array();
    for (const struct seen_message *s = find(p, "mailgun", message_id); s != NULL; s = s->older) {
        json_t *variables = json_object();
        if (s->message.fu_id != NULL)
            json_object_set_new(variables, "fu_id", json_string(s->message.fu_id));
        json_array_append_new(items, json_pack("{s:s,s:f,s:s,s:{s:{s:s}},s:o}", "event", "accepted", "timestamp",
                                               (double)s->at_us / 1e6, "recipient", s->message.to, "message", "headers",
                                               "message-id", message_id, "user-variables", variables));
    }
    return items;
}

void look_up_mailgun_events(void *context, struct exchange *x)
{
    struct provider *p = context;
    const char *message_id = exchange_query(x, "message-id");
    if (!provider_lets_in(p, x, &api_mailgun))
        return;
    if (message_id == NULL) {
        api_mailgun.refuse(x, API_INVALID, "the sandbox looks up by message-id only", -1);
        return;
    }
    api_answer(x, MHD_HTTP_OK, json_pack("{s:o,s:{}}", "items", mailgun_items(p, message_id), "paging"));
}

/* The value of {"filter":{"AND":[{"attribute":"message-id","comparator":"=","values":[{"value":..}]}]}}; NULL: another */
static const char *filtered_id(const json_t *body)
{
    const json_t *all = json_object_get(json_object_get(body, "filter"), "AND"), *one = json_array_get(all, 0);
    const char *attribute = api_text(one, "attribute"), *comparator = api_text(one, "comparator");
    if (json_array_size(all) != 1 || attribute == NULL || strcmp(attribute, "message-id") != 0 || comparator == NULL ||
        strcmp(comparator, "=") != 0)
        return NULL;
    return api_text(json_array_get(json_object_get(one, "values"), 0), "value");
}

void look_up_mailgun_logs(void *context, struct exchange *x)
{
    struct provider *p = context;
    struct err e;
    json_t *body = NULL;
    if (!provider_lets_in(p, x, &api_mailgun))
        return;
    if (api_json(x, &body, &e) != OK) {
        api_mailgun.refuse(x, API_INVALID, e.text, -1);
        return;
    }
    const char *id = filtered_id(body), *start = api_text(body, "start"), *end = api_text(body, "end");
    if (id == NULL || start == NULL || end == NULL) {
        api_mailgun.refuse(x, API_INVALID, "start, end and one filter by message-id are needed", -1);
    } else {
        json_t *items = mailgun_items(p, id);
        api_answer(x, MHD_HTTP_OK,
                   json_pack("{s:s,s:s,s:{s:I},s:o,s:{}}", "start", start, "end", end, "pagination", "total",
                             (json_int_t)json_array_size(items), "items", items, "aggregates"));
    }
    json_decref(body);
}

void look_up_resend(void *context, struct exchange *x)
{
    struct provider *p = context;
    const char *id = exchange_path(x) + strlen("/emails/");
    char message_id[API_ID_BYTES], at[40];
    if (!provider_lets_in(p, x, &api_resend))
        return;
    const struct seen_message *s = find(p, "resend", id);
    if (s == NULL) {
        api_answer(x, MHD_HTTP_NOT_FOUND,
                   json_pack("{s:i,s:s,s:s}", "statusCode", 404, "name", "not_found", "message", "Email not found"));
        return;
    }
    api_rfc_message_id(&s->message, s->seq, message_id);
    api_time(s->at_us, at, sizeof at);
    api_answer(x, MHD_HTTP_OK,
               json_pack("{s:s,s:s,s:s,s:s,s:[s],s:s,s:s,s:s}", "object", "email", "id", id, "message_id", message_id,
                         "from", s->message.from, "to", s->message.to, "subject", s->message.subject, "created_at", at,
                         "last_event", "sent"));
}
