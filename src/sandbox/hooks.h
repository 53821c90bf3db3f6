/* hooks: the webhooks that a provider sends about what it accepted, signed as it signs them, and the answers that leads
 * write, as its inbound service posts them.
 *
 * A post that is not answered as the provider wants (2xx; Mailgun also 406, Postmark 403, SNS and SendGrid's inbound any
 * 4xx) is repeated after retry_ms, then three times that, and so on, HOOKS_TRIES in all.
 *
 * Threads   one loop; posts are made on the loop's pool, one batch at a time over one connection, in order.
 * Bounds    HOOKS_WAITING_MAX posts wait, more are dropped and counted; HOOKS_POST_S a post. */
#ifndef SANDBOX_HOOKS_H
#define SANDBOX_HOOKS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "api.h"
#include "followupd/base/status.h"
#include "keys.h"
#include "message.h"

#define HOOKS_WAITING_MAX  100000
#define HOOKS_TRIES        8
#define HOOKS_POST_S       10
#define HOOKS_RETRY_MS_MAX (600 * 1000)

enum hook_kind { HOOK_ACCEPTED, HOOK_DELIVERED, HOOK_BOUNCED, HOOK_COMPLAINED, HOOK_UNSUBSCRIBED, HOOK_KINDS };

struct hooks_options {
    const char *webhooks[API_NAMES]; /* URLs; "{account}" becomes the message's account. NULL: none is sent */
    const char *inbound[API_NAMES];
    const char *keys; /* folder */
    int64_t retry_ms;
};

struct hooks_stats {
    uint64_t posted, repeated, given_up, dropped, waiting;
};

struct hooks;

/* options: borrowed for as long as hooks live */
MUST_USE enum status hooks_new(uv_loop_t *loop, const struct hooks_options *options, struct hooks **ret, struct err *e);
bool hooks_tell(const struct hooks *h, const struct message *m); /* are there webhooks for the message's API? */
/* false: this API has no such event, or no URL, or it was dropped. words: of a bounce, what the lead's server said; NULL:
 * that there is no such user. */
bool hooks_event(struct hooks *h, enum hook_kind kind, const struct message *m, int64_t seq, const char *words);
bool hooks_reply(struct hooks *h, const struct message *m, int64_t seq, const char *text);
const struct keys *hooks_keys(const struct hooks *h);
void hooks_stop(struct hooks *h); /* posts that wait are dropped; then the loop holds nothing of ours. NULL is fine */
void hooks_free(struct hooks *h); /* after the loop has run to its end */
void hooks_stats(const struct hooks *h, struct hooks_stats *ret);

#endif
