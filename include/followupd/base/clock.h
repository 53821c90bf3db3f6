/* clock: the two times (docs/architecture.md, "Two times"), each a type of its own so that they cannot be mixed.
 *
 * struct mono   for waiting: CLOCK_BOOTTIME, counts through a suspend, knows no date. Milliseconds.
 * struct wall   for people and the database: microseconds since 1970 UTC, of business time or of real time; the name
 *               of the variable says which.
 * struct business_clock   business time as the database tells it (followup.clock()): it runs from an origin at a rate,
 *               which is 1 everywhere but in a demo or a test. Only this module turns one time into the other.
 *
 * Cost  mono_now and wall_now are one vDSO call. The conversions are arithmetic; they saturate, never overflow. */
#ifndef FOLLOWUPD_BASE_CLOCK_H
#define FOLLOWUPD_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mono {
    int64_t ms;
};
struct wall {
    int64_t us;
};

struct mono mono_now(void);
struct wall wall_now(void); /* real time of this host */

static inline struct mono mono_add(struct mono t, int64_t ms)
{
    return (struct mono){ t.ms + ms };
}
static inline bool mono_reached(struct mono deadline, struct mono now)
{
    return now.ms >= deadline.ms;
}

struct business_clock {
    int64_t business_us; /* what business time was ... */
    int64_t mono_us;     /* ... at this instant of this host's CLOCK_BOOTTIME */
    double rate;         /* business seconds a real second; > 0 */
    int64_t error_us;    /* real: it may be that much ahead of the database, or behind */
};

/* business: what the database said; asked_us and answered_us: mono_now_us() around the question. The middle is taken,
 * so the error is at most half a round trip. */
void business_clock_set(struct business_clock *c, struct wall business, double rate, int64_t asked_us,
                        int64_t answered_us);
int64_t mono_now_us(void);
struct wall business_now(const struct business_clock *c);
/* Real milliseconds until business time `due`, rounded up: never early. 0 when it has come. */
int64_t business_wait_ms(const struct business_clock *c, struct wall due);
/* Real microseconds until business time `due` has come in the database too, if the clock is ahead by all of its error: 0
 * when it has. */
int64_t business_sure_wait_us(const struct business_clock *c, struct wall due);
/* Business microseconds that pass in that many real milliseconds. */
int64_t business_span_us(const struct business_clock *c, int64_t real_ms);
/* Real milliseconds by which `now` lies after `due`, both business; the unit lateness is told in. */
double business_late_ms(const struct business_clock *c, struct wall due, struct wall now);

/* ISO 8601 with microseconds and Z; `ret` holds at least WALL_TEXT_BYTES. */
#define WALL_TEXT_BYTES 40
void wall_text(struct wall t, char *ret, size_t bytes);

#endif
