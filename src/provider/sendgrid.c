/* sendgrid: SendGrid v3, POST /v3/mail/send.
 *
 * Accepted   202 with an empty body; X-Message-Id is the id.
 * Doubt      it knows no keys: only its `processed` event, which carries fu_id, proves that a message arrived.
 * Lists      GET /v3/suppression/bounces, spam_reports, unsubscribes, each by start_time, limit and offset. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "followupd/base/json_text.h"
#include "followupd/base/list.h"
#include "judge.h"
#include "list_page.h"
#include "request.h"

static enum status sendgrid_add_url(const struct provider_config *config, struct buf *out, struct err *e)
{
    const char *region = config->region != NULL ? config->region : "global";
    if (strcmp(region, "global") == 0)
        return buf_text(out, "https://api.sendgrid.com");
    if (strcmp(region, "eu") == 0)
        return buf_text(out, "https://api.eu.sendgrid.com");
    return err_set(e, E_INVALID, "region is '%s', known are: global, eu", region);
}

static enum status sendgrid_add_path(const struct provider_config *config, struct buf *out)
{
    (void)config;
    return buf_text(out, "/v3/mail/send");
}

static enum status add_from(const struct outgoing *m, struct buf *out)
{
    if (m->from_name == NULL || m->from_name[0] == '\0')
        return json_add_format(out, "{\"from\":{\"email\":%}", m->from_address);
    return json_add_format(out, "{\"from\":{\"email\":%,\"name\":%}", m->from_address, m->from_name);
}

static enum status add_body(const struct provider_config *config, const struct outgoing *m, struct buf *out)
{
    enum status st = request_reserve(out, m);
    if (st == OK)
        st = add_from(m, out);
    if (st == OK && m->reply_to != NULL)
        st = json_add_format(out, ",\"reply_to\":{\"email\":%}", m->reply_to);
    if (st == OK)
        st = json_add_format(out, ",\"subject\":%,\"personalizations\":[{\"to\":[{\"email\":%}],\"headers\":{",
                             m->subject, m->to);
    if (st == OK)
        st = json_add_members(out, m->headers);
    if (st == OK)
        st = json_add_format(out,
                             "},\"custom_args\":{\"fu_id\":%}}],\"categories\":[\"followup\"],"
                             "\"content\":[{\"type\":\"text/plain\",\"value\":%}", /* plain text has to come first */
                             m->fu_id, m->text);
    if (st == OK && m->html != NULL)
        st = json_add_format(out, ",{\"type\":\"text/html\",\"value\":%}", m->html);
    if (st != OK)
        return st;
    return buf_text(out, config->tracking ? "],\"tracking_settings\":{\"click_tracking\":{\"enable\":true,"
                                            "\"enable_text\":false},\"open_tracking\":{\"enable\":true}}}"
                                          : "],\"tracking_settings\":{\"click_tracking\":{\"enable\":false,"
                                            "\"enable_text\":false},\"open_tracking\":{\"enable\":false}}}");
}

static enum status sendgrid_build(const struct provider_config *config, const struct outgoing *m,
                                  struct provider_request *ret, struct err *e)
{
    struct provider_request r = { 0 };
    struct buf body;
    buf_init(&body, PROVIDER_BODY_BYTES_MAX);
    enum status st = add_body(config, m, &body);
    if (st == OK)
        st = provider_request_header(&r, "Content-Type", "application/json");
    if (st == OK)
        st = request_bearer(&r, config->key);
    return request_finish(&r, &body, st, ret, e);
}

/* {"errors": [{"message", "field", ...}]}; the first one is told. True: it is about the sender's address. */
static bool read_errors(const struct transport_answer *answer, struct judgement *ret)
{
    json_t *body = json_loadb(answer->body, answer->body_bytes, 0, NULL);
    const json_t *first = json_array_get(json_object_get(body, "errors"), 0);
    judge_copy_member(first, "message", ret->detail, sizeof ret->detail);
    bool of_sender = strcmp(judge_member(first, "field"), "from") == 0;
    json_decref(body);
    return of_sender;
}

static void sendgrid_read_answer(const struct provider_config *config, const struct transport_answer *answer,
                                 struct wall now_real, struct judgement *ret)
{
    (void)config;
    if (ret->outcome == OUTCOME_SENT) {
        const char *id = transport_header(answer, "X-Message-Id");
        if (id != NULL)
            judge_copy_text(ret->provider_message_id, sizeof ret->provider_message_id, id, strlen(id));
        return;
    }
    bool of_sender = read_errors(answer, ret);
    int s = answer->http_status;
    if (s == 429)
        judge_later(ret, ret->retry_after_ms > 0
                             ? ret->retry_after_ms
                             : judge_unix_time_ms(transport_header(answer, "X-RateLimit-Reset"), now_real));
    else if (s == 403 && of_sender) /* not a verified one */
        judge_sender(ret);
    else if (s == 401 || s == 403)
        judge_rest(ret, 0, "SendGrid refuses the key, or what it may do", ret->detail);
}

/* --- suppression lists ----------------------------------------------------------------------------------------------- */

#define LIST_ROWS 500 /* the most it gives at once */

static const struct {
    const char *name;
    struct list_shape shape;
} lists[] = {
    { "bounces",
      { "email",
        "created",
        NULL,
        { { NULL, "bounced", "{\"type\":\"bounce\"}" } },
        { { "reason", "reason" }, { "status", "status" } } } },
    { "spam_reports", { "email", "created", NULL, { { NULL, "complained", NULL } }, { { NULL } } } },
    { "unsubscribes", { "email", "created", NULL, { { NULL, "unsubscribed", NULL } }, { { NULL } } } },
};

static enum status sendgrid_build_list(const struct provider_config *config, const struct list_place *place,
                                       struct wall since, struct provider_request *ret, struct err *e)
{
    struct provider_request r = { .method = TRANSPORT_GET };
    char path[200];
    struct buf none;
    buf_init(&none, 1);
    snprintf(path, sizeof path, "/v3/suppression/%s?start_time=%" PRId64 "&limit=%d&offset=%" PRId64,
             lists[place->list].name, since.us / 1000000, LIST_ROWS, place->offset);
    enum status st = request_url(&r, config, path);
    if (st == OK)
        st = request_bearer(&r, config->key);
    return request_finish(&r, &none, st, ret, e);
}

/* [{"created", "email", "reason", "status"}]; behind the last page comes an empty one. */
static enum status sendgrid_read_list(const struct transport_answer *answer, struct list_place *place, bool *over,
                                      json_t *entries, struct err *e)
{
    json_t *body = json_loadb(answer->body, answer->body_bytes, JSON_REJECT_DUPLICATES, NULL);
    enum status st = list_page_read(body, &lists[place->list].shape, entries, e);
    if (st == OK && json_array_size(body) > 0)
        place->offset += (int64_t)json_array_size(body);
    else if (st == OK)
        list_page_next(place, COUNT_OF(lists), over);
    json_decref(body);
    return st;
}

const struct provider_type provider_sendgrid = {
    .name = "sendgrid",
    .takes = PROVIDER_REGION,
    .needs = PROVIDER_KEY,
    .add_url = sendgrid_add_url,
    .add_path = sendgrid_add_path,
    .build = sendgrid_build,
    .read_answer = sendgrid_read_answer,
    .build_list = sendgrid_build_list,
    .read_list = sendgrid_read_list,
};
