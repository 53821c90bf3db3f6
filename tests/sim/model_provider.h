/* model_provider: a mail provider behind the transport's seam (transport.h). It keeps what it accepted, answers a key that
 * it knows as before (class keys), and tells the journal: its `accept` lines are the only proof that a mail is out.
 *
 * A POST leaves when it is begun: whatever becomes of the worker then, it arrives. Faults are those of struct faults. */
#ifndef TESTS_SIM_MODEL_PROVIDER_H
#define TESTS_SIM_MODEL_PROVIDER_H

#include "followupd/provider/transport.h"
#include "model_store.h"

struct model_provider {
    bool honours_keys;
    const struct faults *faults;
    struct accepted {
        int64_t message_id;
        char key[80];
    } * accepted;
    size_t accepted_count, accepted_room;
    int64_t refused[64]; /* messages that it will never take */
    size_t refused_count;
};

void model_provider_init(struct model_provider *p, bool honours_keys, const struct faults *faults);
void model_provider_fini(struct model_provider *p);

/* A worker's way to it. */
MUST_USE struct transport *model_transport_open(struct model_provider *p, struct host *host, int worker);
void model_transport_die(struct transport *t); /* nothing arrives here any more */

#endif
