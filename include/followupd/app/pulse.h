/* pulse: how long the turns of the loop are. A turn is what the loop does between two waits; a long one is everybody's
 * delay. libuv counts the time it waits (UV_METRICS_IDLE_TIME), the rest of the clock is work.
 *
 * Call pulse_open before the loop runs for the first time. Cost: two clock reads a turn, and one more epoll_wait when the
 * loop would wait. */
#ifndef FOLLOWUPD_APP_PULSE_H
#define FOLLOWUPD_APP_PULSE_H

#include <stdint.h>
#include <uv.h>

#include "followupd/base/stats.h"

struct pulse {
    uv_prepare_t prepare;
    uint64_t turned_ns, idle_ns;
    struct histogram turns; /* microseconds */
    struct peak longest;
};

void pulse_open(uv_loop_t *loop, struct pulse *p);
void pulse_close(struct pulse *p); /* p lives until the loop is closed */

#endif
