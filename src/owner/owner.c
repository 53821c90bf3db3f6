#include "followupd/owner/owner.h"

#include <stdlib.h>
#include <string.h>

#include "followupd/base/crash_point.h"
#include "followupd/base/list.h"
#include "followupd/base/log.h"
#include "followupd/owner/worker_lock.h"

#define RENEWS_A_TTL  3
#define LOOKS_A_TTL   20
#define PERIOD_MS_MIN 10

struct held {
    bool is_held;
    bool leaving;
    int64_t epoch;
    struct mono deadline;
    struct mono leaving_since;
};

struct owner {
    struct store *store;
    struct owner_config config;
    struct owner_events events;
    char worker[WORKER_ID_BYTES];
    struct worker_lock lock;
    struct held shards[STORE_SHARDS];
    struct shard_lease held[STORE_SHARDS], valid[STORE_SHARDS];
    size_t held_count;

    bool up, draining, released;
    bool renewing, acquiring;
    struct mono renew_asked, acquire_asked;
    struct shard_lease renew_set[STORE_SHARDS]; /* asked about: what was acquired meanwhile is not missing */
    size_t renew_count;
    size_t formers_left;       /* of the lock, still to be asked for in this look */
    struct mono formers_until; /* by then their leases have run out */
    uv_timer_t timer;          /* looks for free leases; every so often it renews */
    struct mono renew_next;

    void (*on_released)(void *arg, enum status st);
    void *on_released_arg;
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};

/* --- what is held ----------------------------------------------------------------------------------------------- */

static void list_held(struct owner *o)
{
    o->held_count = 0;
    for (int i = 0; i < STORE_SHARDS; i++) {
        if (o->shards[i].is_held)
            o->held[o->held_count++] = (struct shard_lease){ .shard = i, .epoch = o->shards[i].epoch };
    }
}

static struct mono deadline(const struct owner *o, struct mono asked)
{
    return mono_add(asked, o->config.ttl_ms - o->config.margin_ms);
}

/* True: something is new. */
static bool take(struct owner *o, const struct shard_lease *lease, struct mono asked)
{
    if (lease->shard < 0 || lease->shard >= STORE_SHARDS)
        return false;
    struct held *h = &o->shards[lease->shard];
    bool is_new = !h->is_held || h->epoch != lease->epoch;
    if (is_new)
        *h = (struct held){ .is_held = true, .epoch = lease->epoch };
    h->deadline = deadline(o, asked);
    return is_new;
}

struct lease_set owner_held(const struct owner *o)
{
    return (struct lease_set){ o->held, o->held_count };
}

bool owner_may_send(const struct owner *o, int shard, int64_t epoch, struct mono now)
{
    if (shard < 0 || shard >= STORE_SHARDS)
        return false;
    const struct held *h = &o->shards[shard];
    return h->is_held && h->epoch == epoch && !mono_reached(h->deadline, now);
}

struct lease_set owner_valid(struct owner *o, struct mono now)
{
    size_t count = 0;
    for (size_t i = 0; i < o->held_count; i++) {
        if (!o->shards[o->held[i].shard].leaving && owner_may_send(o, o->held[i].shard, o->held[i].epoch, now))
            o->valid[count++] = o->held[i];
    }
    return (struct lease_set){ o->valid, count };
}

int64_t owner_valid_ms(const struct owner *o, struct mono now)
{
    int64_t least_ms = o->held_count > 0 ? INT64_MAX : -1;
    for (size_t i = 0; i < o->held_count; i++) {
        int64_t left_ms = o->shards[o->held[i].shard].deadline.ms - now.ms;
        if (left_ms < least_ms)
            least_ms = left_ms > 0 ? left_ms : 0;
    }
    return least_ms;
}

/* --- acquire ---------------------------------------------------------------------------------------------------- */

static void acquire(struct owner *o);

/* What was locked when a former was asked for is left out of the answer. So all are asked for again in the next look, until
 * every shard is ours, or theirs have run out as anybody's do. */
static void former_asked(struct owner *o)
{
    struct err e;
    if (o->formers_left == 0 || --o->formers_left > 0)
        return;
    if (o->held_count < STORE_SHARDS && !mono_reached(o->formers_until, mono_now()))
        o->formers_left = o->lock.former_count;
    else if (worker_lock_settle(&o->lock, o->worker, &e) != OK)
        log_warn("worker_lock_not_written", kv("error", e.text));
}

static void on_acquire(void *arg, enum status st, const struct err *e, const struct shard_lease *leases, size_t count)
{
    struct owner *o = arg;
    o->acquiring = false;
    CRASH_POINT(lease_acquired);
    if (st != OK) {
        if (st != E_GONE && st != E_CANCELLED)
            log_warn("leases_not_acquired", kv("error", e->text));
        return;
    }
    if (o->released)
        return; /* came too late: they run out by themselves */
    bool changed = false;
    for (size_t i = 0; i < count; i++)
        changed |= take(o, &leases[i], o->acquire_asked);
    if (changed)
        list_held(o);
    former_asked(o);
    if (changed)
        o->events.on_change(o->events.arg);
    if (o->formers_left > 0 && o->formers_left < o->lock.former_count)
        acquire(o);
}

static void acquire(struct owner *o)
{
    if (!o->up || o->acquiring || o->draining || (o->held_count == STORE_SHARDS && o->formers_left == 0))
        return;
    const char *former = o->formers_left > 0 ? o->lock.former[o->lock.former_count - o->formers_left] : NULL;
    o->acquire_asked = mono_now();
    o->acquiring = o->store->ops->lease_acquire(o->store, former, o->config.ttl_ms, on_acquire, o) == OK;
}

/* --- renew ------------------------------------------------------------------------------------------------------ */

static bool among(const struct shard_lease *leases, size_t count, const struct shard_lease *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (leases[i].shard == wanted->shard && leases[i].epoch == wanted->epoch)
            return true;
    }
    return false;
}

static void drop_missing(struct owner *o, const struct shard_lease *leases, size_t count)
{
    int lost[STORE_SHARDS];
    size_t lost_count = 0;
    for (size_t i = 0; i < o->renew_count; i++) {
        const struct shard_lease *asked = &o->renew_set[i];
        struct held *h = &o->shards[asked->shard];
        if (!h->is_held || h->epoch != asked->epoch || among(leases, count, asked))
            continue;
        h->is_held = false;
        lost[lost_count++] = asked->shard;
    }
    if (lost_count == 0)
        return;
    list_held(o);
    if (o->events.on_lost != NULL)
        o->events.on_lost(o->events.arg, lost, lost_count);
    o->events.on_change(o->events.arg);
}

static void on_renew(void *arg, enum status st, const struct err *e, const struct shard_lease *leases, size_t count)
{
    struct owner *o = arg;
    o->renewing = false;
    CRASH_POINT(lease_renewed);
    if (st != OK) {
        if (st != E_GONE && st != E_CANCELLED)
            log_warn("leases_not_renewed", kv("error", e->text));
        return;
    }
    if (o->released)
        return;
    size_t leaving_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!among(o->renew_set, o->renew_count, &leases[i]))
            continue;
        struct held *h = &o->shards[leases[i].shard];
        if (!h->is_held || h->epoch != leases[i].epoch)
            continue;
        h->deadline = deadline(o, o->renew_asked);
        bool leaves = leases[i].elsewhere && leaving_count < OWNER_LEAVING_MAX;
        if (leaves && !h->leaving)
            h->leaving_since = mono_now();
        h->leaving = leaves;
        leaving_count += leaves;
    }
    drop_missing(o, leases, count);
}

static void renew(struct owner *o)
{
    if (!o->up || o->renewing || o->released || o->held_count == 0)
        return;
    memcpy(o->renew_set, o->held, o->held_count * sizeof *o->held);
    o->renew_count = o->held_count;
    o->renew_asked = mono_now();
    o->renewing = o->store->ops->lease_renew(o->store, owner_held(o), o->config.ttl_ms, on_renew, o) == OK;
}

/* --- to another worker ------------------------------------------------------------------------------------------ */

static void on_given(void *arg, enum status st, const struct err *e)
{
    (void)arg;
    if (st != OK && st != E_GONE && st != E_CANCELLED)
        log_warn("leases_not_given", kv("error", e->text)); /* nobody renews them now: they run out */
}

/* Gives back what is leaving and has nothing in flight. A claim that was asked before it was leaving has mostly been
 * answered a look (ttl/20) later; if not, its messages are in doubt in the other worker's hands, and are settled there. */
static void give_leaving(struct owner *o)
{
    struct shard_lease given[STORE_SHARDS];
    struct lease_set set = { given, 0 };
    struct mono now = mono_now();
    for (int i = 0; i < STORE_SHARDS; i++) {
        struct held *h = &o->shards[i];
        if (h->is_held && h->leaving && mono_reached(mono_add(h->leaving_since, o->config.ttl_ms / LOOKS_A_TTL), now) &&
            !o->events.in_flight(o->events.arg, i))
            given[set.count++] = (struct shard_lease){ .shard = i, .epoch = h->epoch };
    }
    if (set.count == 0 || o->store->ops->lease_release(o->store, set, on_given, o) != OK)
        return;
    for (size_t i = 0; i < set.count; i++)
        o->shards[given[i].shard].is_held = false;
    log_info("leases_given", kv("shards", set.count));
    list_held(o);
    o->events.on_change(o->events.arg);
}

/* --- the period ------------------------------------------------------------------------------------------------- */

static void on_beat(void *arg, enum status st, const struct err *e)
{
    (void)arg;
    if (st != OK && st != E_GONE && st != E_CANCELLED)
        log_warn("beat_failed", kv("error", e->text));
}

/* The beat comes before the renewal: when a lease runs out its owner's beat is older than a lease (preferred_owners). */
static void period(struct owner *o)
{
    if (!o->up)
        return;
    o->renew_next = mono_add(mono_now(), o->config.ttl_ms / RENEWS_A_TTL);
    enum status st = o->store->ops->beat(o->store, o->draining, on_beat, o);
    if (st != OK && st != E_GONE && st != E_BUSY)
        log_warn("beat_failed", kv("error", status_text(st)));
    renew(o);
    acquire(o);
}

static void on_timer(uv_timer_t *timer)
{
    struct owner *o = container_of(timer, struct owner, timer);
    if (!o->up || o->released)
        return;
    give_leaving(o);
    if (mono_reached(o->renew_next, mono_now()))
        period(o);
    else
        acquire(o);
}

void owner_up(struct owner *o)
{
    o->up = true;
    o->renewing = o->acquiring = false;
    period(o);
}

void owner_look(struct owner *o)
{
    acquire(o);
}

void owner_down(struct owner *o)
{
    o->up = false;
}

/* --- the end ---------------------------------------------------------------------------------------------------- */

void owner_drain(struct owner *o)
{
    if (o->draining)
        return;
    o->draining = true;
    period(o);
}

static void on_release(void *arg, enum status st, const struct err *e)
{
    struct owner *o = arg;
    if (st != OK && st != E_CANCELLED)
        log_warn("leases_not_released", kv("error", e->text));
    o->on_released(o->on_released_arg, st);
}

static void on_release_failed(uv_timer_t *timer)
{
    struct owner *o = container_of(timer, struct owner, timer);
    o->on_released(o->on_released_arg, E_GONE);
}

void owner_release(struct owner *o, void (*on_done)(void *arg, enum status st), void *arg)
{
    struct shard_lease given[STORE_SHARDS];
    struct lease_set set = { given, o->held_count };
    memcpy(given, o->held, o->held_count * sizeof *given);
    o->draining = o->released = true;
    for (int i = 0; i < STORE_SHARDS; i++)
        o->shards[i].is_held = false;
    list_held(o);
    o->on_released = on_done;
    o->on_released_arg = arg;
    uv_timer_stop(&o->timer);
    if (!o->up || o->store->ops->lease_release(o->store, set, on_release, o) != OK)
        uv_timer_start(&o->timer, on_release_failed, 0, 0);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct owner *o = container_of((uv_timer_t *)handle, struct owner, timer);
    void (*on_closed)(void *) = o->on_closed;
    void *arg = o->on_closed_arg;
    worker_lock_close(&o->lock);
    free(o);
    if (on_closed != NULL)
        on_closed(arg);
}

void owner_close(struct owner *o, void (*on_closed)(void *arg), void *arg)
{
    o->on_closed = on_closed;
    o->on_closed_arg = arg;
    uv_close((uv_handle_t *)&o->timer, on_timer_closed);
}

/* --- the beginning ---------------------------------------------------------------------------------------------- */

enum status owner_open(uv_loop_t *loop, struct store *store, const struct owner_config *config,
                       const struct owner_events *events, struct owner **ret, struct err *e)
{
    if (!worker_id_valid(config->worker))
        return err_set(e, E_INVALID, "the worker's id is no uuid in lower case: %.60s", config->worker);
    struct owner *o = calloc(1, sizeof *o);
    if (o == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    o->store = store;
    o->config = *config;
    o->events = *events;
    o->lock.fd = -1;
    memcpy(o->worker, config->worker, sizeof o->worker);
    if (o->config.ttl_ms == 0)
        o->config.ttl_ms = 10000;
    if (o->config.margin_ms == 0)
        o->config.margin_ms = o->config.ttl_ms / 5;
    if (config->state_dir != NULL) {
        enum status st = worker_lock_open(config->state_dir, o->worker, &o->lock, e);
        if (st != OK) {
            free(o);
            return st;
        }
    }
    o->formers_left = o->lock.former_count;
    o->formers_until = mono_add(mono_now(), o->config.ttl_ms);
    int64_t period_ms = o->config.ttl_ms / LOOKS_A_TTL;
    if (period_ms < PERIOD_MS_MIN)
        period_ms = PERIOD_MS_MIN;
    uv_timer_init(loop, &o->timer);
    uv_timer_start(&o->timer, on_timer, (uint64_t)period_ms, (uint64_t)period_ms);
    *ret = o;
    return OK;
}
