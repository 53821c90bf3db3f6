/* lane: one provider as the dispatcher sees it: its budget, its breaker, and when those who found no slot may ask
 * again. Private to src/dispatch. */
#ifndef FOLLOWUPD_DISPATCH_LANE_H
#define FOLLOWUPD_DISPATCH_LANE_H

#include "followupd/base/list.h"
#include "followupd/dispatch/breaker.h"
#include "followupd/dispatch/budget.h"
#include "followupd/provider/registry.h"

struct lane {
    const struct provider *provider;
    struct budget budget;
    struct breaker breaker;
    size_t begun;           /* POSTs under way, at most the window */
    struct list ahead;      /* struct flight: claimed, without a slot yet, oldest first */
    struct mono ahead_from; /* no claims ahead before: the provider did not begin them as fast as it seemed */
    double next_free_ms;    /* mono: the place in the queue of the next message that finds no slot */
};

void lane_init(struct lane *l, const struct provider *p, int failures_max, int64_t open_ms, int64_t open_ms_max,
               struct mono now);
bool lane_take(struct lane *l, struct mono now, struct breaker_pass *ret);
/* The same, or a place to be claimed ahead. */
bool lane_take_ahead(struct lane *l, struct mono now, struct breaker_pass *ret);
/* The same for a message that may be another provider's: only while nothing is wrong with this one, and half of its places
 * are free for its own. */
bool lane_take_spare(struct lane *l, struct mono now, struct breaker_pass *ret);
/* How many lane_take_ahead would give, and how many there are in all. */
size_t lane_room(struct lane *l, struct mono now);
size_t lane_places(const struct lane *l, struct mono now);
/* May one more POST begin? Whoever begins it counts it in begun; lane_end takes it out. */
bool lane_may_begin(const struct lane *l);
/* Has the breaker been as it was since it gave this pass, and is there no pause? */
bool lane_pass_holds(const struct lane *l, struct breaker_pass pass, struct mono now);
/* Nothing was posted. */
void lane_unused(struct lane *l, struct breaker_pass pass);
/* latency_ms: -1: none. */
void lane_end(struct lane *l, struct breaker_pass pass, const struct judgement *j, int64_t latency_ms, struct mono now);
/* Real milliseconds until asking again may help; 0: only a slot is missing, the end of a POST will bring one. */
int64_t lane_wait_ms(struct lane *l, struct mono now);
/* The same for one message of many: each gets a place after the one before, at the provider's rate; 50 ms to 60 s. */
int64_t lane_queue_ms(struct lane *l, struct mono now);

#endif
