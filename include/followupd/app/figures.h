/* figures: asks every part for its numbers and puts them into one struct (front/figures.h), for /metrics, for the report
 * to the database and for whoever asks next.
 *
 * Ownership  the parts are borrowed; one that is NULL is left out. The histograms that the answer points to belong to
 *            the parts and to `room`, and are good until the next figures_read with it.
 * Cost       some 20 us: histograms are copied, four small files of /proc are read. */
#ifndef FOLLOWUPD_APP_FIGURES_H
#define FOLLOWUPD_APP_FIGURES_H

#include <stdbool.h>

#include "followupd/app/pulse.h"
#include "followupd/bulk/bulk.h"
#include "followupd/dispatch/dispatcher.h"
#include "followupd/front/figures.h"
#include "followupd/front/front.h"
#include "followupd/inbox/inbox.h"
#include "followupd/owner/owner.h"
#include "followupd/sched/scheduler.h"

struct figures_parts {
    struct owner *owner;
    struct scheduler *scheduler;
    struct dispatcher *dispatcher;
    struct bulk *bulk;
    struct inbox *inbox;
    struct front *front; /* NULL: there is no HTTP */
    struct pulse *pulse;
    struct wall started; /* real */
    bool database_up, draining;
};
struct figures_room {
    struct dispatcher_stats dispatcher;
};

void figures_read(const struct figures_parts *parts, struct figures_room *room, struct figures *ret);

#endif
