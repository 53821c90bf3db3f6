/* backoff: how long to wait before the next try to connect: from first_ms doubling to last_ms, of which the upper half
 * is chance so that many workers do not come back in step. Pure: the caller brings the chance. */
#ifndef FOLLOWUPD_DB_BACKOFF_H
#define FOLLOWUPD_DB_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t first_ms, last_ms;
    int64_t step_ms; /* 0: the next failure is the first */
};

/* Milliseconds to wait now, between half a step and a whole one; chance is any 32 random bits. */
int64_t backoff_next_ms(struct backoff *b, uint32_t chance);
void backoff_reset(struct backoff *b); /* it worked */

#endif
