/* breaker: stops sending to a provider that cannot be reached or refuses us, and finds out with one message at a time
 * when it works again. Pure: the caller brings the time.
 *
 * closed     everything may go. Opens at once when the provider refuses us (401, 403), and after failures_max ends in
 *            a row that say it is not there (no connection, no answer in time, 5xx).
 * open       nothing goes until the wait is over: open_ms, twice as long after each failed probe, at most open_ms_max.
 * half open  one message, the probe, goes. Its end closes or opens the breaker again.
 * Retry-After is a pause beside these states: nothing begins before its end. */
#ifndef FOLLOWUPD_DISPATCH_BREAKER_H
#define FOLLOWUPD_DISPATCH_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "followupd/base/clock.h"

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

/* What the end of one POST says about the provider. */
enum breaker_sign { BREAKER_WORKS, BREAKER_FAILS, BREAKER_REFUSES };

struct breaker {
    enum breaker_state state;
    int failures, failures_max;
    int64_t open_ms, open_ms_max; /* the first wait, and the longest */
    int64_t wait_ms;              /* the wait now */
    struct mono opens_until, paused_until;
    bool probe_out;
    uint32_t generation; /* rises with every change of state: what began before it no longer counts */
};

/* Given to a message that may go, handed back when it ends. */
struct breaker_pass {
    uint32_t generation;
    bool probe;
};

void breaker_init(struct breaker *b, int failures_max, int64_t open_ms, int64_t open_ms_max);
bool breaker_take(struct breaker *b, struct mono now, struct breaker_pass *ret);
void breaker_unused(struct breaker *b, struct breaker_pass pass);
/* True: the state changed (for a log line). */
bool breaker_end(struct breaker *b, struct breaker_pass pass, enum breaker_sign sign, struct mono now);
void breaker_pause(struct breaker *b, int64_t wait_ms, struct mono now);
/* Real milliseconds until something may go; 0: now. While a probe is out: open_ms. */
int64_t breaker_wait_ms(const struct breaker *b, struct mono now);
const char *breaker_state_label(enum breaker_state state);

#endif
