/* resend: Resend, POST /emails.
 *
 * Accepted   200 {"id"}.
 * Doubt      it honours Idempotency-Key for 24 hours: the same key with the same body is answered as before and makes no
 *            second mail; with another body, 409 invalid_idempotent_request: the first one arrived. */
#include <string.h>

#include "followupd/base/json_text.h"
#include "judge.h"
#include "request.h"

static enum status resend_add_url(const struct provider_config *config, struct buf *out, struct err *e)
{
    (void)config;
    (void)e;
    return buf_text(out, "https://api.resend.com");
}

static enum status resend_add_path(const struct provider_config *config, struct buf *out)
{
    (void)config;
    return buf_text(out, "/emails");
}

static enum status add_body(const struct outgoing *m, struct buf *out)
{
    enum status st = request_reserve(out, m);
    if (st == OK) /* one recipient a message: its events do not say which of several they mean */
        st = json_add_format(out, "{\"from\":%,\"to\":[%],\"subject\":%,\"text\":%", m->from, m->to, m->subject,
                             m->text);
    if (st == OK && m->html != NULL)
        st = json_add_format(out, ",\"html\":%", m->html);
    if (st == OK && m->reply_to != NULL)
        st = json_add_format(out, ",\"reply_to\":%", m->reply_to);
    if (st == OK)
        st = buf_text(out, ",\"headers\":{");
    if (st == OK)
        st = json_add_members(out, m->headers);
    return st == OK ? json_add_format(out, "},\"tags\":[{\"name\":\"fu_id\",\"value\":%}]}", m->fu_id) : st;
}

static enum status resend_build(const struct provider_config *config, const struct outgoing *m,
                                struct provider_request *ret, struct err *e)
{
    struct provider_request r = { 0 };
    struct buf body;
    buf_init(&body, PROVIDER_BODY_BYTES_MAX);
    enum status st = add_body(m, &body);
    if (st == OK)
        st = provider_request_header(&r, "Content-Type", "application/json");
    if (st == OK)
        st = provider_request_header(&r, "Idempotency-Key", m->key);
    if (st == OK)
        st = request_bearer(&r, config->key);
    return request_finish(&r, &body, st, ret, e);
}

static bool is_quota(const char *name)
{
    return strcmp(name, "daily_quota_exceeded") == 0 || strcmp(name, "monthly_quota_exceeded") == 0;
}

static void judge_conflict(const char *name, struct judgement *ret)
{
    ret->outcome = OUTCOME_IN_DOUBT; /* concurrent_idempotent_requests: the first one still runs */
    ret->key_reused = strcmp(name, "invalid_idempotent_request") == 0;
}

static void resend_read_answer(const struct provider_config *config, const struct transport_answer *answer,
                               struct wall now_real, struct judgement *ret)
{
    (void)config;
    (void)now_real;
    json_t *body = json_loadb(answer->body, answer->body_bytes, 0, NULL);
    const char *name = judge_member(body, "name");
    int64_t wait_ms = ret->retry_after_ms;
    int s = answer->http_status;
    if (ret->outcome == OUTCOME_SENT)
        judge_copy_member(body, "id", ret->provider_message_id, sizeof ret->provider_message_id);
    else
        judge_copy_member(body, "message", ret->detail, sizeof ret->detail);
    if (s == 429 && wait_ms == 0)
        wait_ms = judge_seconds_left_ms(transport_header(answer, "ratelimit-reset"));
    if (s == 429 && is_quota(name))
        judge_rest(ret, wait_ms > 0 ? wait_ms : PROVIDER_RETRY_AFTER_MS_MAX, "Resend's quota is used up", name);
    else if (s == 429)
        judge_later(ret, wait_ms);
    else if (s == 401 || (s == 403 && strcmp(name, "invalid_api_key") == 0))
        judge_rest(ret, 0, "Resend refuses the key", name);
    else if (s == 403 && name[0] != '\0') /* a sender's domain; without a name it is whoever stands before Resend */
        judge_sender(ret);
    else if (s == 409)
        judge_conflict(name, ret);
    json_decref(body);
}

const struct provider_type provider_resend = {
    .name = "resend",
    .needs = PROVIDER_KEY,
    .honours_key = true,
    .add_url = resend_add_url,
    .add_path = resend_add_path,
    .build = resend_build,
    .read_answer = resend_read_answer,
};
