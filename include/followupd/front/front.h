/* front: the daemon's HTTP side: a server and its routes.
 *
 *   /healthz   200 while the loop turns
 *   /readyz    200 when messages can be sent: database up, a shard held under a lease that has not run out, not draining;
 *              else 503 as problem+json, with the reasons
 *   /metrics   the figures, for Prometheus
 *
 * The front knows nothing of the engine but the figures that it is handed. It reads and prints them at most every
 * FRONT_FIGURES_MS, so that no crowd of clients holds the loop. */
#ifndef FOLLOWUPD_FRONT_FRONT_H
#define FOLLOWUPD_FRONT_FRONT_H

#include "followupd/front/figures.h"
#include "followupd/front/server.h"

#define FRONT_FIGURES_MS 100

struct front;

struct front_hooks {
    void *arg;
    void (*figures)(void *arg, struct figures *ret); /* fills all of it */
};

/* on_request and arg of config are ours to set. Errors as server_open. */
MUST_USE enum status front_open(uv_loop_t *loop, const struct server_config *config, const struct front_hooks *hooks,
                                struct front **ret, struct err *e);
void front_address(const struct front *f, char *ret, size_t bytes);
const struct server_stats *front_stats(const struct front *f);
/* Takes no more requests. NULL is fine. */
void front_close(struct front *f);

#endif
