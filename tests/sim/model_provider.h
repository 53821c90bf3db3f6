/* model_provider: a mail provider behind the transport's seam (transport.h). It keeps what it accepted and tells the
 * journal: its `accept` lines are the only proof that a mail is out.
 *
 * Classes  keys: type generic; a key that it knows is answered as before. look_up: type postmark; it honours no key and
 *          can be asked about one, but its pages fill late: an empty one may be of a mail that is out. neither: generic.
 * Faults   those of struct faults. A POST leaves when it is begun: whatever becomes of the worker then, it arrives. A
 *          look-up is slow, lost, refused, cut or fails like a POST. */
#ifndef TESTS_SIM_MODEL_PROVIDER_H
#define TESTS_SIM_MODEL_PROVIDER_H

#include "followupd/provider/transport.h"
#include "model_store.h"

enum provider_class { CLASS_KEYS, CLASS_LOOK_UP, CLASS_NEITHER, CLASS_COUNT };

struct model_provider {
    enum provider_class class;
    const struct faults *faults;
    int64_t lag_us; /* until a mail is in the pages, at most */
    struct accepted {
        char key[80];
        int64_t shown_us; /* in the pages from then on */
    } * accepted;
    size_t accepted_count, accepted_room;
    int64_t refused[64]; /* messages that it will never take */
    size_t refused_count;
};

void model_provider_init(struct model_provider *p, enum provider_class class, int64_t lag_us,
                         const struct faults *faults);
void model_provider_fini(struct model_provider *p);

/* A worker's way to it. */
MUST_USE struct transport *model_transport_open(struct model_provider *p, struct host *host, int worker);
void model_transport_die(struct transport *t); /* nothing arrives here any more */

#endif
