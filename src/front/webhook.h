/* webhook: POST /webhooks/{name}/{account} and /inbound/{name}/{account}, from the bytes to the answer.
 *
 *     request -> (worker thread) signature over the raw bytes, then events -> inbox -> commit -> 200
 *
 * Answers    200 exactly, after the commit; 401 for what is not authentic; 400 for what cannot be read; 404 for a source or
 *            account that is not there; 503 with Retry-After when the database is away, too much waits, or the certificate
 *            cannot be fetched. Never another one to what may be authentic: providers take some as a wish.
 * Threads    verifying and parsing are done in libuv's pool, so that a burst of webhooks does not hold up the loop; the rest is
 *            the loop's. webhooks_busy says when the pool has something of ours: the server must live until then.
 * Logs       name the source (if it is one of ours) and the check that failed, at most one such line a second. Whatever is not
 *            answered 200 is told and counted, a body that was not read too. */
#ifndef FOLLOWUPD_FRONT_WEBHOOK_INTERNAL_H
#define FOLLOWUPD_FRONT_WEBHOOK_INTERNAL_H

#include <stdbool.h>

#include "followupd/front/front.h"
#include "followupd/front/route.h"
#include "followupd/inbox/inbox.h"
#include "followupd/provider/transport.h"

#define WEBHOOKS_INBOUND_BYTES_MAX                                                                                     \
    ((size_t)32 * 1024 * 1024) /* a mail, with attachments that nobody reads: SendGrid takes 30 MB */

struct webhooks;

struct webhooks_config {
    uv_loop_t *loop;
    struct store *store; /* the four are borrowed */
    struct inbox *inbox;
    struct transport *transport;
    void (*on_end)(void *arg); /* after webhooks_close, when one that was under way has ended; may free */
    void *arg;
};

MUST_USE enum status webhooks_open(const struct webhooks_config *config, struct webhooks **ret, struct err *e);
void webhooks_set_sources(struct webhooks *w, struct sources *sources); /* taken */
/* Whether there is such a source, and for such an account. */
bool webhooks_expect(const struct webhooks *w, const struct route_pieces *pieces);
void webhooks_request(struct webhooks *w, struct exchange *x, const struct route_pieces *pieces, bool inbound);
const struct webhook_stats *webhooks_stats(const struct webhooks *w);
/* The pool has something of ours: the server must live. */
bool webhooks_in_pool(const struct webhooks *w);
bool webhooks_under_way(const struct webhooks *w);
/* From now on nothing is stored; what is under way, and what still comes, is told 503. Each one's end runs on_end. */
void webhooks_close(struct webhooks *w);
void webhooks_free(struct webhooks *w); /* nothing may be under way; NULL is fine */

#endif
