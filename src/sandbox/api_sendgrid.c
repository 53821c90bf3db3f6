/* api_sendgrid: POST /v3/mail/send. 202 without a body, the id in X-Message-Id; errors {"errors":[{"message","field"}]};
 * 429 with X-RateLimit-Reset as a unix time. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "followupd/base/clock.h"
#include "server.h"

/* {"email","name"} as "name <email>"; E_INVALID: too long */
static enum status write_address(const json_t *address, char *ret, size_t bytes, struct err *e)
{
    const char *email = api_text(address, "email"), *name = api_text(address, "name");
    int length = name != NULL && name[0] != '\0' ? snprintf(ret, bytes, "%s <%s>", name, email != NULL ? email : "")
                                                 : snprintf(ret, bytes, "%s", email != NULL ? email : "");
    if (email == NULL || (size_t)length >= bytes)
        return err_set(e, E_INVALID, "an address is missing or longer than %zu bytes", bytes - 1);
    return OK;
}

static const char *content(const json_t *body, const char *type)
{
    json_t *part;
    size_t i;
    json_array_foreach (json_object_get(body, "content"), i, part) {
        const char *its = api_text(part, "type");
        if (its != NULL && strcmp(its, type) == 0)
            return api_text(part, "value");
    }
    return NULL;
}

static enum status read_body(const json_t *body, json_t **ret, struct err *e)
{
    const json_t *all = json_object_get(body, "personalizations"), *one = json_array_get(all, 0);
    const json_t *to = json_object_get(one, "to"), *headers = json_object_get(one, "headers");
    char from[1024], recipient[1024];
    if (json_array_size(all) != 1 || json_array_size(to) != 1)
        return err_set(e, E_INVALID, "The sandbox takes one personalization with one recipient.");
    enum status st = write_address(json_object_get(body, "from"), from, sizeof from, e);
    if (st == OK)
        st = write_address(json_array_get(to, 0), recipient, sizeof recipient, e);
    if (st != OK)
        return st;
    const json_t *args = json_object_get(one, "custom_args");
    json_t *none = json_object();
    struct api_mail mail = {
        .from = from,
        .to = recipient,
        .reply_to = api_text(json_object_get(body, "reply_to"), "email"),
        .subject = api_text(one, "subject") != NULL ? api_text(one, "subject") : api_text(body, "subject"),
        .text = content(body, "text/plain"),
        .html = content(body, "text/html"),
        .fu_id = api_text(args != NULL ? args : json_object_get(body, "custom_args"), "fu_id"),
        .headers = headers != NULL ? (json_t *)headers : none,
    };
    st = api_document(&api_sendgrid, &mail, ret, e);
    json_decref(none);
    return st;
}

static enum status read_request(const struct exchange *x, json_t **ret, struct err *e)
{
    return api_read_json(x, read_body, ret, e);
}

static void id(const struct message *m, int64_t seq, char ret[API_ID_BYTES])
{
    (void)m;
    snprintf(ret, API_ID_BYTES, "sandbox.%" PRIx64 ".sg", (uint64_t)seq);
}

static void answer_accepted(struct exchange *x, const struct message *m, int64_t seq)
{
    char text[API_ID_BYTES];
    id(m, seq, text);
    exchange_answer_header(x, "X-Message-Id", text);
    exchange_answer(x, MHD_HTTP_ACCEPTED, "");
}

static void answer_refused(struct exchange *x, enum api_refusal why, const char *text, int64_t retry_after_s)
{
    static const int statuses[] = {
        [API_UNAUTHORIZED] = 401, [API_INVALID] = 400,      [API_KEY_INVALID] = 400, [API_KEY_REUSED] = 400,
        [API_KEY_IN_USE] = 400,   [API_RATE_LIMITED] = 429, [API_QUOTA] = 429,       [API_INACTIVE] = 400,
        [API_SUSPENDED] = 403,    [API_BUSY] = 503,         [API_BROKEN] = 500,      [API_FULL] = 503,
    };
    char reset[32];
    if (statuses[why] == 429) {
        int64_t wait_s = retry_after_s >= 0 ? retry_after_s : 1;
        snprintf(reset, sizeof reset, "%" PRId64, wall_now().us / 1000000 + wait_s);
        exchange_answer_header(x, "X-RateLimit-Limit", "600");
        exchange_answer_header(x, "X-RateLimit-Remaining", "0");
        exchange_answer_header(x, "X-RateLimit-Reset", reset);
    } else if (retry_after_s >= 0) {
        exchange_retry_after(x, retry_after_s);
    }
    api_answer(x, statuses[why], json_pack("{s:[{s:s,s:n,s:n}]}", "errors", "message", text, "field", "help"));
}

const struct api api_sendgrid = { .name = "sendgrid",
                                  .which = API_SENDGRID,
                                  .authorized = api_bearer,
                                  .read = read_request,
                                  .accept = answer_accepted,
                                  .refuse = answer_refused,
                                  .id = id };
