/* postmark: Postmark, POST /email.
 *
 * Accepted   200 and ErrorCode 0; MessageID is the id.
 * Errors     the code stands in the body: 406, a suppressed recipient, comes as HTTP 422.
 * Doubt      it knows no keys; a search by the metadata field fu_id finds what it has accepted.
 * List       GET /message-streams/<stream>/suppressions/dump, by the day, all in one answer. */
#include <stdio.h>
#include <string.h>

#include "followupd/base/json_text.h"
#include "judge.h"
#include "list_page.h"
#include "request.h"

static enum status postmark_add_url(const struct provider_config *config, struct buf *out, struct err *e)
{
    (void)config;
    (void)e;
    return buf_text(out, "https://api.postmarkapp.com");
}

static enum status postmark_add_path(const struct provider_config *config, struct buf *out)
{
    (void)config;
    return buf_text(out, "/email");
}

static enum status add_headers(const struct provider_config *config, const struct outgoing *m, struct buf *out)
{
    enum status st = json_add_pairs(out, m->headers, "Name", "Value", NULL);
    if (st != OK || !config->keep_message_id)
        return st;
    bool alone = out->data[out->used - 2] == '[';
    out->data[--out->used] = '\0'; /* one more before the ] */
    return buf_text(out, alone ? "{\"Name\":\"X-PM-KeepID\",\"Value\":\"true\"}]"
                               : ",{\"Name\":\"X-PM-KeepID\",\"Value\":\"true\"}]");
}

static enum status add_body(const struct provider_config *config, const struct outgoing *m, struct buf *out)
{
    enum status st = request_reserve(out, m);
    if (st == OK)
        st = json_add_format(out, "{\"From\":%,\"To\":%,\"Subject\":%,\"TextBody\":%", m->from, m->to, m->subject,
                             m->text);
    if (st == OK && m->html != NULL)
        st = json_add_format(out, ",\"HtmlBody\":%", m->html);
    if (st == OK && m->reply_to != NULL)
        st = json_add_format(out, ",\"ReplyTo\":%", m->reply_to);
    if (st == OK)
        st = buf_text(out, ",\"Headers\":");
    if (st == OK)
        st = add_headers(config, m, out);
    if (st == OK)
        st = json_add_format(out, ",\"Metadata\":{\"fu_id\":%},\"Tag\":\"followup\",\"MessageStream\":%", m->fu_id,
                             config->message_stream != NULL ? config->message_stream : "outbound");
    return st == OK ? buf_text(out, config->tracking ? ",\"TrackOpens\":true,\"TrackLinks\":\"HtmlOnly\"}"
                                                     : ",\"TrackOpens\":false,\"TrackLinks\":\"None\"}")
                    : st;
}

static enum status add_request_headers(const struct provider_config *config, struct provider_request *r)
{
    enum status st = provider_request_header(r, "Content-Type", "application/json");
    if (st == OK)
        st = provider_request_header(r, "Accept", "application/json");
    return st == OK ? provider_request_header(r, "X-Postmark-Server-Token", config->key) : st;
}

static enum status postmark_build(const struct provider_config *config, const struct outgoing *m,
                                  struct provider_request *ret, struct err *e)
{
    struct provider_request r = { 0 };
    struct buf body;
    buf_init(&body, PROVIDER_BODY_BYTES_MAX);
    enum status st = add_body(config, m, &body);
    if (st == OK)
        st = add_request_headers(config, &r);
    return request_finish(&r, &body, st, ret, e);
}

/* Without credits, not approved yet, or not any more: no message can help it. */
static bool stops_the_account(json_int_t code)
{
    return code == 405 || code == 412 || code == 413;
}

static void postmark_read_answer(const struct provider_config *config, const struct transport_answer *answer,
                                 struct wall now_real, struct judgement *ret)
{
    (void)now_real;
    json_t *body = json_loadb(answer->body, answer->body_bytes, 0, NULL);
    json_int_t code = json_integer_value(json_object_get(body, "ErrorCode"));
    char code_text[40];
    snprintf(code_text, sizeof code_text, "ErrorCode %lld", (long long)code);
    if (ret->outcome == OUTCOME_SENT && code != 0)
        ret->outcome = OUTCOME_REJECTED;
    if (ret->outcome == OUTCOME_SENT)
        judge_copy_member(body, "MessageID", ret->provider_message_id, sizeof ret->provider_message_id);
    if (ret->outcome == OUTCOME_SENT && config->message_id_domain != NULL)
        judge_rewritten_id(ret, config->message_id_domain);
    if (ret->outcome != OUTCOME_SENT)
        judge_copy_member(body, "Message", ret->detail, sizeof ret->detail);
    if (answer->http_status == 429)
        judge_later(ret, ret->retry_after_ms);
    else if (answer->http_status == 401 || answer->http_status == 403)
        judge_rest(ret, 0, "Postmark refuses the server token", code_text);
    else if (ret->outcome == OUTCOME_REJECTED && stops_the_account(code))
        judge_rest(ret, 0, "Postmark lets the account send nothing", code_text);
    json_decref(body);
}

/* --- in doubt -------------------------------------------------------------------------------------------------------- */

static enum status postmark_build_look_up(const struct provider_config *config, const struct doubt *doubt,
                                          struct provider_request *ret, struct err *e)
{
    struct provider_request r = { .method = TRANSPORT_GET };
    char path[PROVIDER_URL_BYTES_MAX];
    const char *stream = config->message_stream;
    struct buf none;
    buf_init(&none, 1);
    /* Of no stream named Postmark takes the default one, as it does when it sends. */
    snprintf(path, sizeof path, "/messages/outbound?count=10&offset=0&metadata_fu_id=%s%s%s", doubt->fu_id,
             stream != NULL ? "&messageStream=" : "", stream != NULL ? stream : "");
    enum status st = request_url(&r, config, path);
    if (st == OK)
        st = add_request_headers(config, &r);
    return request_finish(&r, &none, st, ret, e);
}

/* {"TotalCount", "Messages": [{"MessageID"}]} */
static enum look_up_answer postmark_read_look_up(const struct transport_answer *answer,
                                                 char provider_message_id[PROVIDER_ID_BYTES])
{
    enum look_up_answer ret = LOOK_UP_UNKNOWN;
    json_t *body = json_loadb(answer->body, answer->body_bytes, 0, NULL);
    const json_t *messages = json_object_get(body, "Messages"), *total = json_object_get(body, "TotalCount");
    if (answer->http_status == 200 && json_array_size(messages) > 0) {
        ret = LOOK_UP_FOUND;
        judge_copy_member(json_array_get(messages, 0), "MessageID", provider_message_id, PROVIDER_ID_BYTES);
    } else if (answer->http_status == 200 && json_is_array(messages) && json_is_integer(total) &&
               json_integer_value(total) == 0) {
        ret = LOOK_UP_ABSENT;
    }
    json_decref(body);
    return ret;
}

/* --- suppression list ------------------------------------------------------------------------------------------------- */

#define DAY_US INT64_C(86400000000) /* its days are not ours */

static enum status postmark_build_list(const struct provider_config *config, const struct list_place *place,
                                       struct wall since, struct provider_request *ret, struct err *e)
{
    (void)place;
    struct provider_request r = { .method = TRANSPORT_GET };
    char path[PROVIDER_URL_BYTES_MAX], day[16];
    struct buf none;
    buf_init(&none, 1);
    list_page_date((struct wall){ since.us - DAY_US }, false, day, sizeof day);
    snprintf(path, sizeof path, "/message-streams/%s/suppressions/dump?fromdate=%s",
             config->message_stream != NULL ? config->message_stream : "outbound", day);
    enum status st = request_url(&r, config, path);
    if (st == OK)
        st = add_request_headers(config, &r);
    return request_finish(&r, &none, st, ret, e);
}

/* {"Suppressions": [{"EmailAddress", "SuppressionReason", "CreatedAt"}]} */
static enum status postmark_read_list(const struct transport_answer *answer, struct list_place *place, bool *over,
                                      json_t *entries, struct err *e)
{
    static const struct list_shape shape = { "EmailAddress",
                                             "CreatedAt",
                                             "SuppressionReason",
                                             { { "HardBounce", "bounced", "{\"type\":\"HardBounce\"}" },
                                               { "SpamComplaint", "complained", NULL },
                                               { "ManualSuppression", "unsubscribed", NULL } },
                                             { { NULL } } };
    json_t *body = json_loadb(answer->body, answer->body_bytes, JSON_REJECT_DUPLICATES, NULL);
    enum status st = list_page_read(json_object_get(body, "Suppressions"), &shape, entries, e);
    if (st == OK)
        list_page_next(place, 1, over);
    json_decref(body);
    return st;
}

const struct provider_type provider_postmark = {
    .name = "postmark",
    .takes = PROVIDER_MESSAGE_STREAM | PROVIDER_MESSAGE_ID_DOMAIN,
    .needs = PROVIDER_KEY,
    .add_url = postmark_add_url,
    .add_path = postmark_add_path,
    .build = postmark_build,
    .read_answer = postmark_read_answer,
    .build_look_up = postmark_build_look_up,
    .read_look_up = postmark_read_look_up,
    .build_list = postmark_build_list,
    .read_list = postmark_read_list,
};
