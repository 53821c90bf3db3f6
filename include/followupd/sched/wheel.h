/* wheel: the near future, in memory. Holds every message due inside the loaded horizon and gives back those whose time
 * has come. Pure: no clock, no I/O; the caller brings the time, so a test can move it.
 *
 * Ownership  the wheel knows dense 32-bit ids and nothing behind them; struct index maps them to messages.
 * Time       absolute milliseconds; base_ms is the earliest the wheel can tell apart. A due time in the past is legal
 *            and fires on the next advance; one before the base is kept as the base. A time that goes back is ignored,
 *            one that jumps ahead is caught up with in as many advances as the budget makes it.
 * Promise    an id fires once for each time it was set, never before its due time and never after wheel_cancel. An
 *            advance that stopped neither at its budget nor at ids_max has fired everything due.
 * Errors     wheel_new and wheel_set can run out of memory; nothing else fails. A due time more than 2^40 ms (34.8
 *            years) after the base is refused with E_LIMIT: it is not a memory of the near future.
 * Cost       set and cancel O(1); advance looks at no more than budget ids, so no call holds the loop for long. About
 *            10.5 bytes a pending id; ids that were cancelled or moved to an earlier time leave a copy of 4 bytes that
 *            goes when its slot is reached or swept; such copies stay about as many as the pending ids, at most.
 * Threads    one. */
#ifndef FOLLOWUPD_SCHED_WHEEL_H
#define FOLLOWUPD_SCHED_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/status.h"

struct wheel; /* opaque; defined in wheel.c */

struct wheel_stats {
    uint64_t live;  /* ids that are pending */
    uint64_t stale; /* copies left behind, not yet swept */
    size_t bytes;   /* memory in use, slack included */
};

/* ids_hint: how many ids are expected; more may come. NULL: out of memory. */
struct wheel *wheel_new(int64_t base_ms, uint32_t ids_hint);
void wheel_free(struct wheel *w);

/* Setting an id that is pending moves it. Small ids first: memory is taken up to the highest id ever set. After an
 * error the id is as it was. */
MUST_USE enum status wheel_set(struct wheel *w, uint32_t id, int64_t due_ms);
bool wheel_cancel(struct wheel *w, uint32_t id);       /* false: it was not pending */
int64_t wheel_due(const struct wheel *w, uint32_t id); /* -1: not pending */

/* When to advance next: never later than the earliest due time; INT64_MAX when nothing is pending. It is exact as long
 * as ids are sparse; a slot with many ids asks to be taken apart when it begins. At or before the time of the last
 * advance while something due is left, so call advance again, after serving others. */
int64_t wheel_next_ms(struct wheel *w);

/* Moves the wheel's time to now_ms and writes the ids that came due to ret_ids, in no order: whoever wants one goes from
 * one wheel_next_ms to the next. Returns how many. Stops after looking at budget ids (fired, moved to a finer slot, or
 * dropped) or after ids_max fires; what is left comes with the next call. */
size_t wheel_advance(struct wheel *w, int64_t now_ms, size_t budget, uint32_t *ret_ids, size_t ids_max);

/* Work that can be done at leisure, on about `ids` ids: takes apart the 17-minute slot that comes next, so that no
 * advance has to do it when it is urgent, then sweeps. True: there is more to do. */
bool wheel_idle(struct wheel *w, size_t ids);

void wheel_stats(const struct wheel *w, struct wheel_stats *ret);

/* Audits every invariant; O(everything), for tests. */
bool wheel_check(const struct wheel *w);

#endif
