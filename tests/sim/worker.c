#include "worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/dispatch/dispatcher.h"
#include "followupd/owner/owner.h"
#include "followupd/owner/worker_lock.h"
#include "followupd/sched/scheduler.h"
#include "followupd/store/shard.h"

#define SWEEP_MS       1000
#define SWEEP_OLDER_MS 5000
#define GRACE_MS       2000
#define CLOCK_MS       1000
#define DRAIN_US       (30 * SECOND)

struct worker {
    struct worker_config config;
    struct host host;
    int number;
    struct store *store;
    struct transport *transport;
    struct owner *owner;
    struct scheduler *scheduler;
    struct dispatcher *dispatcher;
    struct business_clock clock;
    struct message_ref *in_flight;
    bool draining, closing;
    int parts; /* still open */
};

/* --- the lock file: named by the caller instead of by a disk ---------------------------------------------------------- */

bool worker_id_valid(const char *text)
{
    return text != NULL && strlen(text) == WORKER_ID_BYTES - 1;
}

enum status worker_lock_open(const char *state_dir, const char *id, struct worker_lock *ret, struct err *e)
{
    (void)id;
    (void)e;
    *ret = (struct worker_lock){ .fd = -1, .former_count = 1 };
    memcpy(ret->former[0], state_dir, WORKER_ID_BYTES);
    return OK;
}

enum status worker_lock_settle(struct worker_lock *l, const char *id, struct err *e)
{
    (void)l;
    (void)id;
    (void)e;
    return OK;
}

void worker_lock_close(struct worker_lock *l)
{
    (void)l;
}

/* --- down --------------------------------------------------------------------------------------------------------------- */

static void on_part_closed(void *arg)
{
    struct worker *w = arg;
    w->parts--;
}

static void on_store_closed(void *arg)
{
    struct worker *w = arg;
    scheduler_close(w->scheduler, on_part_closed, w);
    owner_close(w->owner, on_part_closed, w);
    dispatcher_close(w->dispatcher);
    w->parts--;
}

static void on_transport_closed(void *arg)
{
    struct worker *w = arg;
    w->store->ops->close(w->store, on_store_closed, w);
    w->parts--;
}

static void start_closing(struct worker *w)
{
    if (w->closing)
        return;
    w->closing = true;
    dispatcher_abort(w->dispatcher);
    transport_close(w->transport, on_transport_closed, w);
}

static void on_released(void *arg, enum status st)
{
    (void)st;
    start_closing(arg);
}

static void on_drained(void *arg)
{
    struct worker *w = arg;
    if (!w->closing)
        owner_release(w->owner, on_released, w);
}

/* --- the store ------------------------------------------------------------------------------------------------------------ */

static void on_up(void *arg)
{
    struct worker *w = arg;
    owner_up(w->owner);
    scheduler_up(w->scheduler);
    dispatcher_wake(w->dispatcher);
}

static void on_down(void *arg, const struct err *e)
{
    struct worker *w = arg;
    (void)e;
    owner_down(w->owner);
    scheduler_down(w->scheduler);
    if (w->draining)
        start_closing(w);
}

static void on_notify(void *arg, const char *payload)
{
    struct worker *w = arg;
    if (strcmp(payload, OWNER_NOTICE) == 0)
        owner_look(w->owner);
    else
        scheduler_notify(w->scheduler, payload);
}

/* --- owner, scheduler, dispatcher ------------------------------------------------------------------------------------------- */

static void on_leases(void *arg)
{
    struct worker *w = arg;
    scheduler_leases(w->scheduler, owner_held(w->owner));
    dispatcher_wake(w->dispatcher);
}

static bool shard_in_flight(void *arg, int shard)
{
    struct worker *w = arg;
    size_t count = dispatcher_list_in_flight(w->dispatcher, w->in_flight, dispatcher_in_flight_max(w->dispatcher));
    for (size_t i = 0; i < count; i++) {
        if (shard_of(w->in_flight[i].account_id) == shard)
            return true;
    }
    return false;
}

static struct lease_set valid_leases(void *arg)
{
    struct worker *w = arg;
    return owner_valid(w->owner, mono_now());
}

static struct lease_set held_leases(void *arg)
{
    struct worker *w = arg;
    return owner_held(w->owner);
}

static bool may_send(void *arg, int shard, int64_t epoch)
{
    struct worker *w = arg;
    return owner_may_send(w->owner, shard, epoch, mono_now());
}

static size_t on_due(void *arg, const struct due_message *due, size_t count)
{
    struct worker *w = arg;
    if (w->draining || w->closing || !scheduler_clock(w->scheduler, &w->clock))
        return 0;
    return dispatcher_offer(w->dispatcher, due, count);
}

static bool in_flight(void *arg, struct message_ref ref)
{
    struct worker *w = arg;
    return dispatcher_in_flight(w->dispatcher, ref);
}

static void cancel(void *arg, struct message_ref ref)
{
    struct worker *w = arg;
    dispatcher_cancel(w->dispatcher, ref);
}

static const struct message_ref *in_flight_list(void *arg, size_t *ret_count)
{
    struct worker *w = arg;
    *ret_count = dispatcher_list_in_flight(w->dispatcher, w->in_flight, dispatcher_in_flight_max(w->dispatcher));
    return w->in_flight;
}

static void set_due(void *arg, struct due_message due)
{
    struct worker *w = arg;
    scheduler_set(w->scheduler, due.ref, due.due);
}

static void put_off(void *arg, struct due_message due)
{
    struct worker *w = arg;
    scheduler_put_off(w->scheduler, due.ref, due.due);
}

static void reloaded(void *arg)
{
    struct worker *w = arg;
    dispatcher_reloaded(w->dispatcher);
}

static void on_room(void *arg)
{
    struct worker *w = arg;
    scheduler_pull(w->scheduler);
}

/* --- up ------------------------------------------------------------------------------------------------------------------------ */

static void open_parts(struct worker *w, int former)
{
    struct err e = { "" };
    uv_loop_t *loop = &w->host.loop;
    char name[WORKER_ID_BYTES], dead[WORKER_ID_BYTES];
    worker_name(w->number, name);
    worker_name(former, dead);

    w->transport = model_transport_open(w->config.provider, &w->host, w->number);
    struct store_events store_events = { w, on_up, on_down, NULL, on_notify };
    w->store = model_store_open(w->config.model, &w->host, w->number, w->config.faults, &store_events);

    struct owner_config owner = { .state_dir = former > 0 ? dead : NULL, .worker = name, .ttl_ms = w->config.lease_ms };
    struct owner_events owner_events = { .arg = w, .on_change = on_leases, .in_flight = shard_in_flight };
    enum status st = owner_open(loop, w->store, &owner, &owner_events, &w->owner, &e);
    assert(st == OK);

    struct scheduler_config scheduler = {
        .sweep_ms = SWEEP_MS, .sweep_older_ms = SWEEP_OLDER_MS, .sending_grace_ms = GRACE_MS, .clock_ms = CLOCK_MS
    };
    struct scheduler_consumer consumer = { w, on_due, in_flight, cancel, in_flight_list, reloaded };
    st = scheduler_open(loop, w->store, &scheduler, &consumer, &w->scheduler, &e);
    assert(st == OK);

    struct dispatcher_config dispatcher = DISPATCHER_CONFIG_DEFAULTS;
    dispatcher.in_flight_max = w->config.in_flight_max;
    dispatcher.policy_after_ms = w->config.policy_after_ms;
    dispatcher.settle_every_ms = 1000;
    dispatcher.default_provider = "model";
    struct dispatcher_hooks hooks = { w, valid_leases, held_leases, may_send, set_due, put_off, on_room };
    st = dispatcher_new(loop, w->store, w->transport, w->config.registry, &w->clock, &dispatcher, &hooks,
                        &w->dispatcher, &e);
    assert(st == OK);
    w->in_flight = calloc(dispatcher_in_flight_max(w->dispatcher), sizeof *w->in_flight);
    assert(w->in_flight != NULL);
}

struct worker *worker_start(const struct worker_config *config, int number, int former)
{
    struct worker *w = calloc(1, sizeof *w);
    assert(w != NULL);
    w->config = *config;
    w->number = number;
    w->parts = 4; /* transport, store, scheduler, owner */
    host_init(&w->host);
    open_parts(w, former);
    return w;
}

struct host *worker_host(struct worker *w)
{
    return &w->host;
}

struct store *worker_store(struct worker *w)
{
    return w->store;
}

int worker_no(const struct worker *w)
{
    return w->number;
}

void worker_kill(struct worker *w)
{
    host_thaw(&w->host);
    if (w->parts == 4) {
        if (!w->closing)
            model_store_die(w->store);
        model_transport_die(w->transport);
    }
    start_closing(w);
}

static void on_drain_over(void *arg)
{
    start_closing(arg);
}

void worker_stop(struct worker *w)
{
    if (w->draining || w->closing)
        return;
    w->draining = true;
    if (!w->store->ops->is_up(w->store)) {
        start_closing(w);
        return;
    }
    sim_after(&w->host, DRAIN_US, on_drain_over, w);
    owner_drain(w->owner);
    dispatcher_drain(w->dispatcher, on_drained, w);
}

bool worker_is_gone(const struct worker *w)
{
    return w->parts == 0;
}

void worker_free(struct worker *w)
{
    assert(worker_is_gone(w));
    free(w->in_flight);
    free(w);
}
