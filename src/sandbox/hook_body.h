/* hook_body: the bytes of a provider's webhook or inbound post about one message, and its content type. Pure but for the
 * random token of Mailgun's signature. What is signed over the bytes as they go out is hooks.c's. */
#ifndef SANDBOX_HOOK_BODY_H
#define SANDBOX_HOOK_BODY_H

#include "followupd/base/buf.h"
#include "hooks.h"

struct hook_about {
    const struct keys *keys;
    const struct message *message;
    int64_t seq, now_us;
    const char *words; /* of a bounce: what the lead's server said; NULL: no such user */
};

/* E_INVALID: the provider has no such event */
MUST_USE enum status hook_event_body(const struct hook_about *a, const struct api *api, enum hook_kind kind,
                                     struct buf *out);
/* *ret_type: static. E_INVALID: the provider's inbound service is not played, or the message has no Reply-To. */
MUST_USE enum status hook_reply_body(const struct hook_about *a, const struct api *api, const char *text,
                                     struct buf *out, const char **ret_type);

#endif
