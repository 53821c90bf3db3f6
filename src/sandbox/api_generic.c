/* api_generic: POST /send, the sandbox's own. */
#include <inttypes.h>
#include <stdio.h>

#include "api.h"
#include "server.h"

static void id(const struct message *m, int64_t seq, char ret[API_ID_BYTES])
{
    (void)m;
    snprintf(ret, API_ID_BYTES, "sb-%" PRId64, seq);
}

static void answer_accepted(struct exchange *x, const struct message *m, int64_t seq)
{
    char text[API_ID_BYTES];
    id(m, seq, text);
    api_answer(x, MHD_HTTP_OK, json_pack("{s:s}", "id", text));
}

static void answer_refused(struct exchange *x, enum api_refusal why, const char *text, int64_t retry_after_s)
{
    static const int statuses[] = {
        [API_UNAUTHORIZED] = MHD_HTTP_UNAUTHORIZED,    [API_INVALID] = MHD_HTTP_BAD_REQUEST,
        [API_KEY_INVALID] = MHD_HTTP_BAD_REQUEST,      [API_KEY_REUSED] = MHD_HTTP_CONFLICT,
        [API_KEY_IN_USE] = MHD_HTTP_CONFLICT,          [API_RATE_LIMITED] = MHD_HTTP_TOO_MANY_REQUESTS,
        [API_QUOTA] = MHD_HTTP_TOO_MANY_REQUESTS,      [API_INACTIVE] = MHD_HTTP_UNPROCESSABLE_CONTENT,
        [API_SUSPENDED] = MHD_HTTP_FORBIDDEN,          [API_BUSY] = MHD_HTTP_SERVICE_UNAVAILABLE,
        [API_BROKEN] = MHD_HTTP_INTERNAL_SERVER_ERROR, [API_FULL] = MHD_HTTP_INSUFFICIENT_STORAGE,
    };
    if (retry_after_s >= 0)
        exchange_retry_after(x, retry_after_s);
    exchange_error(x, statuses[why], text);
}

const struct api api_generic = {
    .name = "generic", .which = API_GENERIC, .keys = true, .accept = answer_accepted, .refuse = answer_refused, .id = id
};
