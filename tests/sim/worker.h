/* worker: one followupd in the simulation: the shipped owner, scheduler and dispatcher, joined as src/app/app.c joins
 * them, over a store, a transport and a clock of the simulation. */
#ifndef TESTS_SIM_WORKER_H
#define TESTS_SIM_WORKER_H

#include "model_provider.h"

struct worker_config {
    struct model *model;
    struct model_provider *provider;
    const struct registry *registry;
    const struct faults *faults;
    int64_t lease_ms;
    int64_t policy_after_ms;
    size_t in_flight_max;
};

struct worker;

/* number: of this start, from 1; former: of the start before on this machine, which is dead; 0: none. */
struct worker *worker_start(const struct worker_config *config, int number, int former);
struct host *worker_host(struct worker *w);
struct store *worker_store(struct worker *w);
int worker_no(const struct worker *w);

void worker_kill(struct worker *w);          /* kill -9: gone at once */
void worker_stop(struct worker *w);          /* SIGTERM: drains, gives its leases back */
bool worker_is_gone(const struct worker *w); /* nothing of it is left to happen */
void worker_free(struct worker *w);          /* a gone one */

#endif
