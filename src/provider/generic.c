/* generic: one JSON POST, documented for whoever puts a mail service behind it.
 *
 * POST <url>, Content-Type: application/json, Authorization: Bearer <key>, Idempotency-Key: <message's key>,
 * {"message_id", "account_id", "due_ms", "from", "to", "reply_to", "subject", "text", "html", "headers"};
 * answered with 200 {"id": "..."} or with a status and {"error": "..."}. 409 is for keys: one whose first request is still
 * being answered (it is asked again), or, with "another body" in the error, one that came before with another body. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/buf.h"
#include "followupd/base/list.h"
#include "followupd/provider/provider.h"
#include "json_text.h"

#define MEMBERS_BYTES 512 /* of a body, beside its texts: names, numbers, punctuation */

static enum status add_member(struct buf *out, const char *name, const char *text)
{
    enum status st = buf_add(out, ",\"", 2);
    if (st == OK)
        st = buf_text(out, name);
    if (st == OK)
        st = buf_add(out, "\":", 2);
    return st == OK ? json_add_text(out, text) : st;
}

static enum status add_header_members(struct buf *out, const json_t *headers)
{
    const char *name;
    json_t *value;
    enum status st = buf_text(out, ",\"headers\":{");
    bool first = true;
    json_object_foreach ((json_t *)headers, name, value) {
        if (st == OK && !first)
            st = buf_add(out, ",", 1);
        if (st == OK)
            st = json_add_text(out, name);
        if (st == OK)
            st = buf_add(out, ":", 1);
        if (st == OK)
            st = json_add_text(out, json_string_value(value));
        first = false;
    }
    return st == OK ? buf_add(out, "}}", 2) : st;
}

static size_t length(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

static enum status add_body(struct buf *out, const struct outgoing *m)
{
    char head[128];
    int bytes =
        snprintf(head, sizeof head, "{\"message_id\":\"m-%" PRId64 "\",\"account_id\":%" PRId64 ",\"due_ms\":%" PRId64,
                 m->message_id, m->account_id, m->due.us / 1000);
    const struct {
        const char *name, *text;
    } members[] = { { "from", m->from },       { "to", m->to },     { "reply_to", m->reply_to },
                    { "subject", m->subject }, { "text", m->text }, { "html", m->html } };
    size_t room = MEMBERS_BYTES + length(m->text) + length(m->html);
    enum status st = room < out->bytes_max ? buf_reserve(out, room) : E_LIMIT;
    if (st == OK)
        st = buf_add(out, head, (size_t)bytes);
    for (size_t i = 0; i < COUNT_OF(members) && st == OK; i++)
        st = add_member(out, members[i].name, members[i].text);
    return st == OK ? add_header_members(out, m->headers) : st;
}

static enum status add_headers(const struct provider_config *config, const struct outgoing *m,
                               struct provider_request *r)
{
    enum status st = provider_request_header(r, "Content-Type", "application/json");
    if (st == OK)
        st = provider_request_header(r, "Idempotency-Key", m->key);
    if (st != OK || config->key == NULL)
        return st;
    char *bearer = NULL;
    if (asprintf(&bearer, "Bearer %s", config->key) < 0)
        return E_NOMEM;
    st = provider_request_header(r, "Authorization", bearer);
    explicit_bzero(bearer, strlen(bearer));
    free(bearer);
    return st;
}

static enum status generic_build(const struct provider_config *config, const struct outgoing *m,
                                 struct provider_request *ret, struct err *e)
{
    struct provider_request r = { 0 };
    struct buf body;
    buf_init(&body, PROVIDER_BODY_BYTES_MAX);
    enum status st = add_body(&body, m);
    r.body_bytes = body.used;
    r.body = st == OK ? buf_take(&body) : NULL;
    buf_fini(&body);
    if (st == E_INVALID)
        err_set(e, st, "a part of the message is not valid UTF-8");
    else if (st == E_LIMIT)
        err_set(e, st, "the message is larger than %d MiB", PROVIDER_BODY_BYTES_MAX / 1024 / 1024);
    else if (st == OK && add_headers(config, m, &r) != OK)
        st = err_set(e, E_INVALID, "the key of the message or of the provider cannot be a header");
    if (st != OK) {
        provider_request_fini(&r);
        return st;
    }
    *ret = r;
    return OK;
}

static void copy_member(const json_t *object, const char *name, char *ret, size_t bytes)
{
    const json_t *value = json_object_get(object, name);
    if (json_is_string(value) && json_string_length(value) > 0)
        judge_copy_text(ret, bytes, json_string_value(value), json_string_length(value));
}

/* A body that cannot be read says nothing: the status has decided already. */
static void generic_read_body(const struct transport_answer *answer, struct judgement *ret)
{
    json_t *body = json_loadb(answer->body, answer->body_bytes, 0, NULL);
    if (ret->outcome == OUTCOME_SENT)
        copy_member(body, "id", ret->provider_message_id, sizeof ret->provider_message_id);
    else
        copy_member(body, "error", ret->detail, sizeof ret->detail);
    ret->key_reused = answer->http_status == 409 && strstr(ret->detail, "another body") != NULL;
    json_decref(body);
}

const struct provider_type provider_generic = {
    .name = "generic",
    .honours_key = true,
    .build = generic_build,
    .read_body = generic_read_body,
};
