/* agenda: what is due when, and what is due now: wheel and index together (a book), the queue of what came due, and
 * the change to a new book while the old one is in use. Pure: no clock, no I/O.
 *
 * Ready     what came due waits in the order it came due, at most ready_max; when it is full the wheel stands still,
 *           so back-pressure costs no memory. A message is in the wheel or ready, never both, and forgotten once taken.
 * Loading   between agenda_load_begin and _finish the old book stays in use, and every set, cancel and take is also
 *           written to a log, which is replayed over what was loaded. So a row that the database read before a change
 *           never undoes that change. The log is bounded; when it overflows _finish says E_LIMIT and nothing changes:
 *           load again.
 * Time      business time; due times are rounded up to milliseconds, so nothing is early. The due time of a message
 *           handed out is right to the millisecond, or the time of the advance if it was overdue when it was set.
 * Errors    out of memory; E_LIMIT from the wheel (more than 34 years ahead).
 * Cost      O(1) each, plus a look through the ready queue (ready_max entries) when that is not empty. What concerns
 *           very many (a replay, an account dropped) is done in slices that the caller sizes. */
#ifndef FOLLOWUPD_SCHED_AGENDA_H
#define FOLLOWUPD_SCHED_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/status.h"
#include "followupd/sched/wheel.h"
#include "followupd/store/store.h"

struct agenda;

struct agenda_config {
    size_t ready_max;  /* messages */
    size_t replay_max; /* entries of the log */
};

/* now: of the first book, which can tell the 34 years after it apart. NULL: out of memory. */
struct agenda *agenda_new(const struct agenda_config *config, struct wall now);
void agenda_free(struct agenda *a);

MUST_USE enum status agenda_set(struct agenda *a, struct message_ref ref, struct wall due); /* twice: it moves */
bool agenda_cancel(struct agenda *a, struct message_ref ref);                               /* false: not known */
bool agenda_known(const struct agenda *a, struct message_ref ref);
/* The due time in the wheel, rounded up to ms; false: not in the wheel (ready, or not known). */
bool agenda_due_ms(const struct agenda *a, struct message_ref ref, int64_t *ret_ms);

/* Moves what is due by now to the ready queue, looking at no more than budget messages. True: there may be more. */
bool agenda_advance(struct agenda *a, struct wall now, size_t budget);
/* When to advance next, in business ms; INT64_MAX: never, until something is set. */
int64_t agenda_next_ms(struct agenda *a);
/* The ready queue from its front; valid until the next call. */
const struct due_message *agenda_ready(const struct agenda *a, size_t *ret_count);
void agenda_take(struct agenda *a, const struct due_message *taken, size_t count); /* these are somebody else's now */
bool agenda_full(const struct agenda *a);
bool agenda_idle(struct agenda *a, size_t ids); /* wheel_idle */

/* whole: into a new book; otherwise over the present one. One at a time. */
MUST_USE enum status agenda_load_begin(struct agenda *a, bool whole, struct wall now);
MUST_USE enum status agenda_load_row(struct agenda *a, const struct due_message *row);
/* These rows come next, rows[0] first: memory is fetched ahead. Before each of them. */
void agenda_load_ahead(struct agenda *a, const struct due_message *rows, size_t count);
/* Replays at most `max` entries of the log, once all rows are there. True: there are more. From the first slice of a
 * load in place to its finish the wheel stands still, so that no change half replayed comes due. */
bool agenda_load_replay(struct agenda *a, size_t max);
MUST_USE enum status agenda_load_finish(struct agenda *a); /* replays the rest; also ends it when it fails */
void agenda_load_abort(struct agenda *a);
bool agenda_loading(const struct agenda *a);
size_t agenda_load_count(const struct agenda *a); /* rows so far */

/* Drops an account from the wheel, looking at ids_max messages from *from on (0 at first), which it moves; then from the
 * ready queue. True: there is more to look at. What is set meanwhile may be dropped or not. */
bool agenda_drop_account(struct agenda *a, int64_t account_id, uint32_t *from, uint32_t ids_max);

size_t agenda_count(const struct agenda *a);                        /* wheel and ready */
void agenda_wheel(const struct agenda *a, struct wheel_stats *ret); /* of the book in use */

static inline int64_t due_ms_up(struct wall due)
{
    return due.us / 1000 + (due.us % 1000 > 0);
}

#endif
