/* attempt: one POST of one claimed message: letter, request, answer, result. Embedded in whoever keeps the message in
 * flight; lives from attempt_prepare to its callback, or to attempt_drop.
 *
 * Calls      attempt_prepare OK: it can be posted, then or a little later. E_INVALID and E_LIMIT: it never can be
 *            sent (a merge tag without value, a bad address); *ret_rejected is its result, the caller's. Anything else:
 *            no result; give it back.
 *            attempt_post OK: posted, the callback runs exactly once, later. Anything else: not posted, dropped, no
 *            result; give it back.
 * Ownership  the row is borrowed for the call. The callback takes the result. */
#ifndef FOLLOWUPD_RESULT_ATTEMPT_H
#define FOLLOWUPD_RESULT_ATTEMPT_H

#include "followupd/provider/registry.h"
#include "followupd/render/message.h"
#include "followupd/result/batch.h"
#include "followupd/store/store.h"

struct attempt;

/* judgement: borrowed until the callback returns; what it says of the provider is for budget and breaker. */
typedef void (*attempt_cb)(struct attempt *a, const struct judgement *judgement, struct kept_result *result);

struct attempt {
    const struct provider *provider; /* borrowed, outlives us */
    attempt_cb cb;
    bool (*may_begin)(struct attempt *a); /* asked just before the first byte; NULL: it may */
    struct kept_result *kept;             /* taken along from the start, so that the end cannot run out of memory */
    struct rendered rendered;
    struct provider_request request;
    struct transport_request post;          /* points into request */
    int64_t started_us, begun_us, ended_us; /* mono_now_us; begun: just before the first byte, 0: never */
};

#define ATTEMPT_KEY_BYTES 80
/* fu/<account>/<message>/<attempts> */
void attempt_key(const struct claim_row *row, char ret[ATTEMPT_KEY_BYTES]);

MUST_USE enum status attempt_prepare(struct attempt *a, const struct claim_row *row, const struct provider *provider,
                                     const char *public_url, attempt_cb cb, struct kept_result **ret_rejected);
MUST_USE enum status attempt_post(struct attempt *a, struct transport *transport);
/* Prepared, and not posted. */
void attempt_drop(struct attempt *a);
/* A result that was made without posting: the row's identity, this outcome, this reason. NULL: out of memory. */
struct kept_result *attempt_not_posted(const struct claim_row *row, enum outcome outcome, const char *reason);

#endif
