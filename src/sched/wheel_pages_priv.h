/* wheel_pages: the memory of wheel and index, straight from the kernel, zeroed, in whole pages. It grows without being
 * copied and what was never touched costs nothing, so a million entries need no second million while they grow; freed, it
 * is gone at once. From HUGE_PAGE_BYTES up it asks for huge pages and begins at a boundary of one, so that they move as a
 * whole. */
#ifndef FOLLOWUPD_SCHED_WHEEL_PAGES_PRIV_H
#define FOLLOWUPD_SCHED_WHEEL_PAGES_PRIV_H

#include <stddef.h>

#define HUGE_PAGE_BYTES ((size_t)2 << 20)

/* Of a function that only prefetches: inline by force, because the compiler takes it for one without effect, and drops
 * calls of it. */
#define PREFETCHER inline __attribute__((always_inline))

size_t pages_round(size_t bytes); /* what to ask pages_grow for */
/* old: from an earlier call, old_bytes long, or NULL. NULL: out of memory, `old` is as it was. */
void *pages_grow(void *old, size_t old_bytes, size_t bytes);
void pages_free(void *data, size_t bytes); /* NULL is fine */

#endif
