/* api_resend: POST /emails. Errors {"statusCode","name","message"}; 429 with ratelimit-reset in seconds left. The only
 * one that honours Idempotency-Key. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "server.h"

/* One address, as a text or as a list of one; NULL: something else. */
static const char *address(const json_t *body, const char *name)
{
    const json_t *value = json_object_get(body, name);
    return json_string_value(json_array_size(value) == 1 ? json_array_get(value, 0) : value);
}

static enum status read_body(const json_t *body, json_t **ret, struct err *e)
{
    json_t *tags = api_pairs(json_object_get(body, "tags"), "name", "value"), *none = json_object();
    json_t *headers = json_object_get(body, "headers");
    struct api_mail mail = {
        .from = api_text(body, "from"),
        .to = address(body, "to"),
        .reply_to = address(body, "reply_to"),
        .subject = api_text(body, "subject"),
        .text = api_text(body, "text"),
        .html = api_text(body, "html"),
        .fu_id = api_text(tags, "fu_id"),
        .headers = headers != NULL ? headers : none,
    };
    enum status st = api_document(&api_resend, &mail, ret, e);
    json_decref(tags);
    json_decref(none);
    return st;
}

static enum status read_request(const struct exchange *x, json_t **ret, struct err *e)
{
    return api_read_json(x, read_body, ret, e);
}

static void answer_accepted(struct exchange *x, const struct message *m, int64_t seq)
{
    char id[API_ID_BYTES];
    api_uuid(m, seq, id);
    api_answer(x, MHD_HTTP_OK, json_pack("{s:s}", "id", id));
}

static void answer_refused(struct exchange *x, enum api_refusal why, const char *text, int64_t retry_after_s)
{
    static const struct {
        int http_status;
        const char *name;
    } answers[] = {
        [API_UNAUTHORIZED] = { 403, "invalid_api_key" },
        [API_INVALID] = { 422, "missing_required_field" },
        [API_KEY_INVALID] = { 400, "invalid_idempotency_key" },
        [API_KEY_REUSED] = { 409, "invalid_idempotent_request" },
        [API_KEY_IN_USE] = { 409, "concurrent_idempotent_requests" },
        [API_RATE_LIMITED] = { 429, "rate_limit_exceeded" },
        [API_QUOTA] = { 429, "daily_quota_exceeded" },
        [API_INACTIVE] = { 400, "validation_error" },
        [API_SUSPENDED] = { 401, "restricted_api_key" },
        [API_BUSY] = { 503, "application_error" },
        [API_BROKEN] = { 500, "internal_server_error" },
        [API_FULL] = { 503, "application_error" },
    };
    char left[32];
    if (answers[why].http_status == 429) {
        snprintf(left, sizeof left, "%" PRId64, retry_after_s >= 0 ? retry_after_s : 1);
        exchange_answer_header(x, "ratelimit-limit", "5");
        exchange_answer_header(x, "ratelimit-remaining", "0");
        exchange_answer_header(x, "ratelimit-reset", left);
    }
    if (retry_after_s >= 0)
        exchange_retry_after(x, retry_after_s);
    api_answer(
        x, answers[why].http_status,
        json_pack("{s:i,s:s,s:s}", "statusCode", answers[why].http_status, "name", answers[why].name, "message", text));
}

const struct api api_resend = { .name = "resend",
                                .which = API_RESEND,
                                .keys = true,
                                .authorized = api_bearer,
                                .read = read_request,
                                .accept = answer_accepted,
                                .refuse = answer_refused,
                                .id = api_uuid };
