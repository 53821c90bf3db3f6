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

#include "followupd/provider/provider.h"

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static char *build_body(const struct outgoing *m)
{
    char id[32];
    snprintf(id, sizeof id, "m-%" PRId64, m->message_id);
    json_t *headers = m->headers != NULL ? json_incref((json_t *)m->headers) : json_object();
    json_t *body = json_object();
    int bad = json_object_set_new(body, "message_id", json_string(id));
    bad |= json_object_set_new(body, "account_id", json_integer(m->account_id));
    bad |= json_object_set_new(body, "due_ms", json_integer(m->due.us / 1000));
    bad |= json_object_set_new(body, "from", json_string(m->from));
    bad |= json_object_set_new(body, "to", json_string(m->to));
    bad |= json_object_set_new(body, "reply_to", text_or_null(m->reply_to));
    bad |= json_object_set_new(body, "subject", json_string(m->subject));
    bad |= json_object_set_new(body, "text", json_string(m->text));
    bad |= json_object_set_new(body, "html", text_or_null(m->html));
    bad |= json_object_set_new(body, "headers", headers);
    char *text = bad != 0 ? NULL : json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
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
    r.body = build_body(m);
    if (r.body == NULL)
        return err_set(e, E_INVALID, "a part of the message is not valid UTF-8");
    r.body_bytes = strlen(r.body);
    enum status st = OK;
    if (r.body_bytes > PROVIDER_BODY_BYTES_MAX)
        st = err_set(e, E_LIMIT, "the message is larger than %d MiB", PROVIDER_BODY_BYTES_MAX / 1024 / 1024);
    else if (add_headers(config, m, &r) != OK)
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
