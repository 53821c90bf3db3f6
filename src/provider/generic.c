/* generic: one JSON POST, documented for whoever puts a mail service behind it.
 *
 * POST <url>, Content-Type: application/json, Authorization: Bearer <key>, Idempotency-Key: <message's key>,
 * {"message_id", "account_id", "due_ms", "from", "to", "reply_to", "subject", "text", "html", "headers"};
 * answered with 200 {"id": "..."} or with a status and {"error": "..."}. 409 is for keys: one whose first request is still
 * being answered (it is asked again), or, with "another body" in the error, one that came before with another body. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "followupd/base/json_text.h"
#include "judge.h"
#include "request.h"

static enum status add_body(struct buf *out, const struct outgoing *m)
{
    char head[128];
    int bytes =
        snprintf(head, sizeof head, "{\"message_id\":\"m-%" PRId64 "\",\"account_id\":%" PRId64 ",\"due_ms\":%" PRId64,
                 m->message_id, m->account_id, m->due.us / 1000);
    enum status st = request_reserve(out, m);
    if (st == OK)
        st = buf_add(out, head, (size_t)bytes);
    if (st == OK)
        st = json_add_format(out,
                             ",\"from\":%,\"to\":%,\"reply_to\":%,\"subject\":%,\"text\":%,\"html\":%,\"headers\":{",
                             m->from, m->to, m->reply_to, m->subject, m->text, m->html);
    if (st == OK)
        st = json_add_members(out, m->headers);
    return st == OK ? buf_text(out, "}}") : st;
}

static enum status generic_build(const struct provider_config *config, const struct outgoing *m,
                                 struct provider_request *ret, struct err *e)
{
    struct provider_request r = { 0 };
    struct buf body;
    buf_init(&body, PROVIDER_BODY_BYTES_MAX);
    enum status st = add_body(&body, m);
    if (st == OK)
        st = provider_request_header(&r, "Content-Type", "application/json");
    if (st == OK)
        st = provider_request_header(&r, "Idempotency-Key", m->key);
    if (st == OK && config->key != NULL)
        st = request_bearer(&r, config->key);
    return request_finish(&r, &body, st, ret, e);
}

/* A body that cannot be read says nothing: the status has decided already. */
static void generic_read_answer(const struct provider_config *config, const struct transport_answer *answer,
                                struct wall now_real, struct judgement *ret)
{
    (void)config;
    (void)now_real;
    json_t *body = json_loadb(answer->body, answer->body_bytes, 0, NULL);
    if (ret->outcome == OUTCOME_SENT)
        judge_copy_member(body, "id", ret->provider_message_id, sizeof ret->provider_message_id);
    else
        judge_copy_member(body, "error", ret->detail, sizeof ret->detail);
    ret->key_reused = answer->http_status == 409 && strstr(ret->detail, "another body") != NULL;
    json_decref(body);
}

const struct provider_type provider_generic = {
    .name = "generic",
    .takes = PROVIDER_KEY,
    .honours_key = true,
    .declines_by_503 = true,
    .build = generic_build,
    .read_answer = generic_read_answer,
};
