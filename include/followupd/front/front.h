/* front: the daemon's HTTP side: a server and its routes.
 *
 *   /healthz   200 while the loop turns
 *   /readyz    200 when messages can be sent: database up, a shard held under a lease that has not run out, not draining;
 *              else 503 as problem+json, with the reasons
 *   /metrics   the figures, for Prometheus
 *   /webhooks/{name}/{account}, /inbound/{name}/{account}
 *              POST: events and answers from providers, stored before they are answered (docs/webhooks.md)
 *   /u/{token} GET shows the unsubscribe page, POST unsubscribes
 *
 * The front knows nothing of the engine but the figures that it is handed, the store and the inbox. It reads and prints them at most every
 * FRONT_FIGURES_MS, so that no crowd of clients holds the loop. */
#ifndef FOLLOWUPD_FRONT_FRONT_H
#define FOLLOWUPD_FRONT_FRONT_H

#include "followupd/front/figures.h"
#include "followupd/front/server.h"
#include "followupd/front/sources.h"
#include "followupd/inbox/inbox.h"
#include "followupd/provider/transport.h"
#include "followupd/store/store.h"

#define FRONT_FIGURES_MS       100
#define FRONT_CERTIFICATES_MAX 4  /* asked for at once, and ... */
#define FRONT_QUESTIONS_MAX    32 /* ... replies that classifiers are asked about; further ones the rules read alone */

struct front;

struct front_hooks {
    void *arg;
    void (*figures)(void *arg, struct figures *ret); /* fills all of it */
};

/* What /webhooks, /inbound and /u stand on; all borrowed, and closed after front_close. */
struct front_parts {
    struct store *store;
    struct inbox *inbox;
    struct transport *transport; /* has room for FRONT_CERTIFICATES_MAX and FRONT_QUESTIONS_MAX beside all others */
};

/* Webhooks, by their answer. */
struct webhook_stats {
    uint64_t accepted, unauthentic, malformed, put_off;
};

/* on_header, on_request and arg of config are ours to set. Errors as server_open. */
MUST_USE enum status front_open(uv_loop_t *loop, const struct server_config *config, const struct front_hooks *hooks,
                                const struct front_parts *parts, struct front **ret, struct err *e);
/* Who may send webhooks from now on; taken. Until then nobody may. */
void front_set_sources(struct front *f, struct sources *sources);
void front_address(const struct front *f, char *ret, size_t bytes);
const struct server_stats *front_stats(const struct front *f);
const struct webhook_stats *front_webhook_stats(const struct front *f);
/* Asks its hooks, the store and the inbox for nothing more: what still comes is told to come again, and counted. Call it before its parts are closed; it is freed when
 * they have told the end of what is under way. NULL is fine. */
void front_close(struct front *f);

#endif
