/* simtime: the time of the simulation, and chance. One queue of events drives everything: what the database, the provider
 * and the people do, and the timers of every worker's loop. It replaces the clock: mono_now, wall_now, mono_now_us of
 * base/clock.h and the handful of libuv calls that sched, owner, dispatch and result make are defined here, over this time.
 *
 * Hosts   a worker runs on a host. While its host is frozen its events wait, and happen in their order when it thaws; the
 *         time goes on meanwhile, as for a process that was stopped.
 * Chance  one generator a seed; the same seed makes the same run, event by event.
 * Time    microseconds since the beginning. */
#ifndef TESTS_SIM_SIMTIME_H
#define TESTS_SIM_SIMTIME_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define SECOND INT64_C(1000000)
#define MS     INT64_C(1000)
/* Wall time at the beginning: 2026-03-01. */
#define SIM_EPOCH_US INT64_C(1772323200000000)

struct sim_event;
struct host {
    uv_loop_t loop; /* data points back here */
    bool frozen;
    int64_t wall_offset_us; /* of this machine's wall clock */
    struct sim_event *held, **held_end;
};

void sim_begin(uint64_t seed);
void sim_end(void); /* drops what is still to happen */
int64_t sim_now(void);

typedef void (*sim_fn)(void *arg);
/* host NULL: of nobody's machine; it always happens. */
void sim_after(struct host *host, int64_t us, sim_fn fn, void *arg);
/* Lets everything happen that comes before that time, which is the time afterwards. */
void sim_run_until(int64_t us);

void host_init(struct host *h);
void host_freeze(struct host *h);
void host_thaw(struct host *h);

uint64_t sim_random(void);
int64_t sim_between(int64_t low, int64_t high); /* both included */
bool sim_chance(double p);

#endif
