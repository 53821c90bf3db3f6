/* sim: a team of workers over a model of the database and of a provider, by seed: minutes of it in milliseconds. People
 * start, stop, restart, move and pause; machines freeze, die and come back; answers are late or lost; the database goes
 * away; clocks step. Then the faults end and everything must settle.
 *
 *     sim --seeds FIRST..LAST [--journal FILE]    FILE - is standard output; audit.py reads it
 *     sim --seed N --trace --journal -            one seed, with every step: what workers ask and log, what befalls them
 *
 * A seed repeats exactly (repeats.sh runs some twice and compares), so whatever the auditor says of one can be followed step
 * by step. A step's time is seconds since the beginning; a log line has its worker's own clock, which may be wrong.
 * Exit status 1 when the model itself saw what may never be; the promise is judged by the auditor. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/base/log.h"
#include "followupd/provider/registry.h"
#include "journal.h"
#include "worker.h"

#define MACHINES_MAX   3
#define FAULTY_MIN_US  (60 * SECOND)
#define FAULTY_MAX_US  (180 * SECOND)
#define QUIET_MAX_US   (3600 * SECOND) /* it ends as soon as everything has settled */
#define CHECK_US       (5 * SECOND)
#define START_AGAIN_US SECOND /* after a start that found the machine's lock held */
#define POST_MS        3000
#define BURST_MAX      120
#define POLICY_MS      20000
#define PROOF_MS_MIN   20000
#define PROOF_MS_MAX   60000
/* From a claim to the mail's being accepted: 2 s until the POST, which is slow (6 s), on a clock that steps by 6 s. */
#define PROOF_MS_SPARE 15000
#define FOREVER_MS     (INT64_C(365) * 24 * 3600 * 1000)

FILE *journal;
bool trace;

struct machine {
    struct worker *worker; /* NULL: nothing runs */
    struct worker *before; /* the one that ran before it; its lock is held until it is gone */
    int last;              /* number of the last start here */
};

/* What happens again and again while it is not quiet. */
struct habit {
    void (*act)(void);
    double per_minute;
};

static struct {
    uint64_t seed;
    struct model model;
    struct model_provider provider;
    struct registry *registry;
    struct faults faults;
    struct worker_config config;
    struct machine machines[MACHINES_MAX];
    size_t machine_count;
    int starts;
    bool quiet, over;
    int64_t quiet_at;
    struct worker *dying[MODEL_WORKERS_MAX];
    size_t dying_count;
    struct habit habits[8];
    size_t habit_count;
    /* how often, per minute */
    double kills, freezes, stops_of_workers, outages, clock_steps;
} run;

/* --- machines ---------------------------------------------------------------------------------------------------------- */

static void on_notify(void *arg, const char *payload)
{
    (void)arg;
    for (size_t i = 0; i < run.machine_count; i++) {
        if (run.machines[i].worker != NULL)
            model_store_notify(worker_store(run.machines[i].worker), payload);
    }
}

static void on_start(void *arg);

static void start_machine(struct machine *m)
{
    if (m->worker != NULL || run.over || run.starts == MODEL_WORKERS_MAX)
        return;
    if (m->before != NULL && !worker_is_gone(m->before)) {
        sim_after(NULL, START_AGAIN_US, on_start, m);
        return;
    }
    int former = m->last;
    m->last = ++run.starts;
    TRACE("worker %d starts on machine %td, after worker %d", m->last, m - run.machines, former);
    m->worker = worker_start(&run.config, m->last, former);
    worker_host(m->worker)->wall_offset_us = sim_between(-2 * SECOND, 2 * SECOND);
}

/* What ran there is left to end on its own. */
static void leave(struct machine *m)
{
    run.dying[run.dying_count++] = m->before = m->worker;
    m->worker = NULL;
}

static void on_start(void *arg)
{
    start_machine(arg);
}

static void kill_machine(struct machine *m)
{
    if (m->worker == NULL)
        return;
    TRACE("worker %d is killed", m->last);
    worker_kill(m->worker);
    leave(m);
    sim_after(NULL, sim_between(10 * MS, 15 * SECOND), on_start, m);
}

static void on_thaw(void *arg)
{
    struct machine *m = arg;
    if (m->worker == NULL)
        return;
    TRACE("worker %d goes on", m->last);
    host_thaw(worker_host(m->worker));
}

/* --- things that happen again and again while it is not quiet --------------------------------------------------------------- */

static struct machine *any_machine(void)
{
    return &run.machines[sim_between(0, (int64_t)run.machine_count - 1)];
}

static void do_kill(void)
{
    kill_machine(any_machine());
}

static void do_freeze(void)
{
    struct machine *m = any_machine();
    if (m->worker == NULL || worker_host(m->worker)->frozen)
        return;
    TRACE("worker %d freezes", m->last);
    host_freeze(worker_host(m->worker));
    sim_after(NULL, sim_between(100 * MS, sim_chance(0.5) ? 3 * SECOND : 40 * SECOND), on_thaw, m);
}

static void do_stop_worker(void)
{
    struct machine *m = any_machine();
    if (m->worker == NULL || worker_host(m->worker)->frozen)
        return;
    TRACE("worker %d is told to stop", m->last);
    worker_stop(m->worker);
    leave(m);
    sim_after(NULL, sim_between(10 * MS, 10 * SECOND), on_start, m);
}

static void do_outage(void)
{
    int64_t away_us = sim_between(10 * MS, 20 * SECOND);
    TRACE("the database is away for %.3f s", (double)away_us / (double)SECOND);
    for (size_t i = 0; i < run.machine_count; i++) {
        if (run.machines[i].worker != NULL)
            model_store_cut(worker_store(run.machines[i].worker), away_us);
    }
}

static void set_clock(int64_t offset_us)
{
    run.model.wall_offset_us = offset_us;
    JOURNAL("clock %" PRId64 " %" PRId64 "\n", offset_us, sim_now());
}

static void do_clock_step(void)
{
    struct machine *m = any_machine();
    if (sim_chance(0.5))
        set_clock(sim_between(-3 * SECOND, 3 * SECOND));
    else if (m->worker != NULL)
        worker_host(m->worker)->wall_offset_us = sim_between(-60 * SECOND, 60 * SECOND);
}

static void do_people(void)
{
    struct model *m = &run.model;
    int64_t what = sim_between(0, 99);
    if (what < 40 || m->conversation_count == 0) {
        model_start(m, (size_t)sim_between(0, (int64_t)m->account_count - 1), (int)sim_between(1, 3),
                    sim_between(0, 20 * SECOND), sim_between(100 * MS, 30 * SECOND));
        return;
    }
    size_t conversation = (size_t)sim_between(0, (int64_t)m->conversation_count - 1);
    if (what < 60)
        model_stop(m, conversation);
    else if (what < 72)
        model_restart(m, conversation);
    else if (what < 90)
        model_move(m, (size_t)sim_between(0, (int64_t)m->message_count - 1),
                   model_now(m) + sim_between(-5 * SECOND, 30 * SECOND));
    else
        model_pause(m, (size_t)sim_between(0, (int64_t)m->account_count - 1), sim_chance(0.5));
}

/* In the middle of a burst somebody has second thoughts: what waits between its claim and its first byte is seen by that. */
static void on_second_thoughts(void *arg)
{
    struct model *m = &run.model;
    (void)arg;
    if (run.quiet)
        return;
    if (sim_chance(0.5)) {
        model_pause(m, (size_t)sim_between(0, (int64_t)m->account_count - 1), true);
        return;
    }
    for (size_t i = m->conversation_count > BURST_MAX ? m->conversation_count - BURST_MAX : 0;
         i < m->conversation_count; i++) {
        if (sim_chance(0.3))
            model_stop(m, i);
    }
}

/* A burst: many at one instant. */
static void do_burst(void)
{
    int64_t count = sim_between(20, BURST_MAX), first_us = sim_chance(0.5) ? 2 * SECOND : sim_between(0, 20 * SECOND);
    for (int64_t i = 0; i < count; i++)
        model_start(&run.model, (size_t)sim_between(0, (int64_t)run.model.account_count - 1), (int)sim_between(1, 2),
                    first_us, sim_between(SECOND, 30 * SECOND));
    if (sim_chance(0.5))
        sim_after(NULL, first_us + sim_between(0, 3 * SECOND), on_second_thoughts, NULL);
}

static void on_habit(void *arg)
{
    struct habit *h = arg;
    if (run.quiet)
        return;
    h->act();
    sim_after(NULL, sim_between(0, (int64_t)(120.0 * (double)SECOND / h->per_minute)), on_habit, h);
}

static void every(void (*act)(void), double per_minute)
{
    if (per_minute <= 0)
        return;
    struct habit *h = &run.habits[run.habit_count++];
    assert(run.habit_count <= COUNT_OF(run.habits));
    *h = (struct habit){ act, per_minute };
    sim_after(NULL, sim_between(0, (int64_t)(120.0 * (double)SECOND / per_minute)), on_habit, h);
}

/* --- one run ------------------------------------------------------------------------------------------------------------------ */

/* Each seed has some of the faults, so that no one of them always hides another. */
static double some(double most)
{
    return sim_chance(0.5) ? 0 : most * (double)sim_between(1, 100) / 100;
}

/* The sweep finds whatever else was forgotten, and would hide every fault of load and NOTIFY but for a little delay. With
 * one worker, no lost NOTIFY on a living connection, and no statement that is done long after its connection broke,
 * nothing is left for it to find: then it finds nothing. */
static void choose_blindness(void)
{
    run.model.blind = sim_chance(0.25);
    if (!run.model.blind)
        return;
    run.machine_count = 1;
    run.faults.notify_lost = run.faults.late = 0;
}

static void choose_faults(void)
{
    run.faults = (struct faults){ .late = some(0.3),
                                  .late_us = sim_between(10 * MS, 8 * SECOND),
                                  .lost = some(0.02),
                                  .piece_us = sim_chance(0.5) ? 0 : sim_between(MS, SECOND),
                                  .notify_lost = some(1.0),
                                  .notify_late_us = sim_chance(0.3) ? sim_between(MS, 5 * SECOND) : 0,
                                  .answer_lost = some(0.2),
                                  .not_sent = some(0.2),
                                  .connects = some(0.2),
                                  .refused = some(0.05),
                                  .overloaded = some(0.2),
                                  .broken = some(0.2),
                                  .look_up_fails = some(0.8),
                                  .slow = some(0.3),
                                  .slow_us = sim_between(100 * MS, 6 * SECOND) };
    run.model.busy = some(0.2);
    double harder = sim_chance(0.2) ? 4 : 1; /* a bad day */
    run.faults.lost *= harder;
    run.kills = some(6 * harder);
    run.freezes = some(6 * harder);
    run.stops_of_workers = some(4 * harder);
    run.outages = some(3 * harder);
    run.clock_steps = some(6);
    run.machine_count = (size_t)sim_between(1, MACHINES_MAX);
    choose_blindness();
}

static void begin(uint64_t seed)
{
    static const char *const policies[] = { "hold", "resend", "assume_sent" }, *const classes[] = { "keys", "look_up",
                                                                                                    "neither" };
    memset(&run, 0, sizeof run);
    run.seed = seed;
    sim_begin(seed);
    enum model_policy policy = (enum model_policy)(seed % POLICY_COUNT);
    enum provider_class class = (enum provider_class)(seed / POLICY_COUNT % CLASS_COUNT);
    JOURNAL("seed %" PRIu64 " %s %s\n", seed, classes[class], policies[policy]);
    model_init(&run.model, policy, (size_t)sim_between(1, MODEL_ACCOUNTS_MAX));
    run.model.notify = on_notify;
    choose_faults();
    int64_t proof_ms = sim_between(PROOF_MS_MIN, PROOF_MS_MAX);
    model_provider_init(&run.provider, class, sim_between(0, (proof_ms - PROOF_MS_SPARE) * MS), &run.faults);
    struct provider_config provider = { .name = "model",
                                        .type = class == CLASS_LOOK_UP ? "postmark" : "generic",
                                        .url = "http://model.example",
                                        .key = class == CLASS_LOOK_UP ? "token" : NULL,
                                        .rate_per_s = sim_chance(0.5) ? (double)sim_between(2, 40) : 0,
                                        .concurrency_max = (int)sim_between(1, 64),
                                        .timeout_ms = POST_MS,
                                        .key_window_ms = class == CLASS_KEYS ? FOREVER_MS : 0,
                                        .look_up_proof_ms = proof_ms };
    struct err e;
    enum status st = registry_new(&provider, 1, &run.registry, &e);
    assert(st == OK);
    run.config = (struct worker_config){ .model = &run.model,
                                         .provider = &run.provider,
                                         .registry = run.registry,
                                         .faults = &run.faults,
                                         .lease_ms = sim_between(500, sim_chance(0.3) ? 1500 : 10000),
                                         .policy_after_ms = class == CLASS_NEITHER ? POLICY_MS : FOREVER_MS,
                                         .in_flight_max = (size_t)sim_between(2, 64) };
    for (size_t i = 0; i < run.machine_count; i++)
        sim_after(NULL, sim_between(0, 5 * SECOND), on_start, &run.machines[i]);
    every(do_people, (double)sim_between(10, 120));
    every(do_burst, some(1));
    every(do_kill, run.kills);
    every(do_freeze, run.freezes);
    every(do_stop_worker, run.stops_of_workers);
    every(do_outage, run.outages);
    every(do_clock_step, run.clock_steps);
}

static void become_quiet(void)
{
    run.quiet = true;
    run.quiet_at = sim_now();
    memset(&run.faults, 0, sizeof run.faults);
    run.model.busy = 0;
    if (run.model.wall_offset_us != 0)
        set_clock(0);
    for (size_t i = 0; i < run.model.account_count; i++)
        model_pause(&run.model, i, false);
    for (size_t i = 0; i < run.machine_count; i++) {
        on_thaw(&run.machines[i]);
        start_machine(&run.machines[i]);
    }
    JOURNAL("quiet %" PRId64 "\n", sim_now());
}

/* A message in doubt that only a person can settle: with keys one that is not to be sent again, with neither what the
 * policy holds. Who can be asked settles all. */
static bool is_for_a_person(const struct model_message *x)
{
    bool over = x->detached || !run.model.conversations[x->conversation].active;
    switch (run.provider.class) {
    case CLASS_KEYS:
        return over;
    case CLASS_NEITHER:
        return run.model.policy == POLICY_HOLD && !over;
    default:
        return false;
    }
}

/* Nothing is left to do but what waits for a person. */
static bool is_settled(void)
{
    for (size_t i = 0; i < run.model.message_count; i++) {
        const struct model_message *x = &run.model.messages[i];
        if (x->state == M_SCHEDULED || x->state == M_SENDING || (x->state == M_IN_DOUBT && !is_for_a_person(x)))
            return false;
    }
    return true;
}

static void finish(void)
{
    run.over = true;
    for (size_t i = 0; i < run.machine_count; i++) {
        if (run.machines[i].worker == NULL)
            continue;
        worker_stop(run.machines[i].worker);
        leave(&run.machines[i]);
    }
    sim_run_until(sim_now() + 60 * SECOND);
    for (size_t i = 0; i < run.dying_count; i++) {
        if (!worker_is_gone(run.dying[i]))
            worker_kill(run.dying[i]);
    }
    sim_run_until(sim_now() + 3600 * SECOND);
    for (size_t i = 0; i < run.dying_count; i++)
        worker_free(run.dying[i]);
    sim_end();
    model_fini(&run.model);
    model_provider_fini(&run.provider);
    registry_free(run.registry);
}

static bool run_seed(uint64_t seed)
{
    begin(seed);
    sim_run_until(sim_between(FAULTY_MIN_US, FAULTY_MAX_US));
    become_quiet();
    do
        sim_run_until(sim_now() + CHECK_US);
    while (!is_settled() && sim_now() < run.quiet_at + QUIET_MAX_US);
    JOURNAL("over %" PRId64 "\n", sim_now());
    bool settled = is_settled();
    uint64_t violations = run.model.violations;
    if (!settled)
        fprintf(stderr, "seed %" PRIu64 ": not settled an hour after the last fault\n", seed);
    if (violations > 0)
        fprintf(stderr, "seed %" PRIu64 ": %" PRIu64 " times the model saw what may never be\n", seed, violations);
    finish();
    return settled && violations == 0;
}

/* --- the program ---------------------------------------------------------------------------------------------------------------- */

static int usage(void)
{
    fputs("usage: sim --seeds FIRST..LAST | --seed N  [--journal FILE] [--trace]\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    uint64_t first = 0, last = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--trace") == 0) {
            trace = true;
            continue;
        }
        if (strcmp(argv[i], "--seeds") == 0 && sscanf(value, "%" SCNu64 "..%" SCNu64, &first, &last) == 2) {
            i++;
        } else if (strcmp(argv[i], "--seed") == 0 && sscanf(value, "%" SCNu64, &first) == 1) {
            last = first;
            i++;
        } else if (strcmp(argv[i], "--journal") == 0 && value[0] != '\0') {
            journal = strcmp(value, "-") == 0 ? stdout : fopen(value, "w");
            i++;
            if (journal == NULL) {
                perror(value);
                return 2;
            }
        } else {
            return usage();
        }
    }
    if (first == 0 || last < first)
        return usage();
    log_level_set(trace ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    for (uint64_t seed = first; seed <= last; seed++)
        failed += !run_seed(seed);
    if (journal != NULL && fflush(journal) != 0) {
        perror("journal");
        return 2;
    }
    fprintf(stderr, "%" PRIu64 " seeds, %" PRIu64 " failed\n", last - first + 1, failed);
    return failed > 0;
}
