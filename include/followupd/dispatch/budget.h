/* budget: how many messages may be on their way to one provider, and how fast new ones may begin. Pure: the caller
 * brings the time.
 *
 * Rate     a token bucket: rate_per_s tokens a second, a tenth of a second's worth (at least one) in store.
 * Window   how many slots may be taken at once, 1..concurrency_max. It starts at 32 and follows the provider: while
 *          answers are quick on average (within four times the quickest of the last minute plus 25 ms) each one widens
 *          it by one until they first become slow, from then on all of a window together by one; slow ones take a
 *          fifth off, down to 4, and an overload (429, 503, no answer) half, each at most once a round trip. By
 *          Little's law a window that holds rate x latency is wide enough, and a wider one only makes the provider's
 *          queue longer. It is widened only while at least half of it is used.
 * Ahead    while there is a backlog, messages are claimed before they have a slot: at most what the provider begins in
 *          25 ms at the rate of its last answers, and 128. They have their token.
 * Early    what is not due yet has a place beside the slots too, within the same bound for all; whoever wants a slot for
 *          now does not see it (budget_early, budget_due).
 * Slots    taken before the claim, given back by exactly one of budget_unused (nothing was posted: the token comes back
 *          too) and budget_end. */
#ifndef FOLLOWUPD_DISPATCH_BUDGET_H
#define FOLLOWUPD_DISPATCH_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#include "followupd/base/clock.h"

struct budget {
    double rate_per_s; /* 0: no limit */
    double tokens;
    struct mono filled_at;
    int window_max;
    double window;
    bool has_slowed; /* the first slow answer has come */
    size_t used;     /* but for those that are early */
    size_t early;
    int64_t quickest_ms, quickest_before_ms; /* of this and of the last half minute; -1: none yet */
    double average_ms;                       /* of about the last 16 answers */
    struct mono quickest_since;
    struct mono narrowed_until; /* one narrowing a round trip */
};

void budget_init(struct budget *b, double rate_per_s, int concurrency_max, struct mono now);
/* Other limits from now on. What is stored stays, within the new rate's store; slots that are taken stay taken. */
void budget_limit(struct budget *b, double rate_per_s, int concurrency_max, struct mono now);
/* Takes one slot and one token; false: none free. */
bool budget_take(struct budget *b, struct mono now);
/* The same, while all that is taken, early or not, is less than the slots and `beside` more. */
bool budget_take_beside(struct budget *b, size_t beside, struct mono now);
/* One that was taken is not due yet; and now it is. */
void budget_early(struct budget *b);
void budget_due(struct budget *b);
/* How many may be claimed beside the window; 0 until an answer has come. */
size_t budget_ahead(const struct budget *b);
/* How many budget_take_beside would give now. */
size_t budget_room(struct budget *b, size_t beside, struct mono now);
/* Are more than half of the slots free, and with one taken half of the tokens that are stored? One alone counts as half. */
bool budget_is_half_free(struct budget *b, struct mono now);
/* This and budget_end: of one that is not early. */
void budget_unused(struct budget *b);
/* latency_ms: of the POST; -1: there was none to measure. */
void budget_end(struct budget *b, int64_t latency_ms, bool overloaded, struct mono now);
/* Real milliseconds until a token is there; 0: there is one (a slot may still be missing). */
int64_t budget_wait_ms(struct budget *b, struct mono now);

#endif
