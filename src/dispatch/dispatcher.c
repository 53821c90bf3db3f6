#include "followupd/dispatch/dispatcher.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher_priv.h"
#include "followupd/base/log.h"

#define LOOK_AGAIN_MS     100  /* when nothing tells us: the database is away */
#define ASK_AGAIN_MS      5000 /* whether an account still has the provider that rests */
#define SETTLE_MARGIN_MS  5000
#define BACKLOG_WAITS     5                /* batch_wait_ms, while there is a backlog */
#define LOOK_UP_ROWS      16               /* asked about at once, beside the sends */
#define KEY_MARGIN_MS_MAX (10 * 60 * 1000) /* of a key's window, at most a tenth of it */

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- offers ------------------------------------------------------------------------------------------------------ */

/* How many messages one claim may ask for now. */
static size_t claim_room(const struct dispatcher *d)
{
    if (d->draining || d->claims >= d->config.claims_max || !d->store->ops->is_up(d->store))
        return 0;
    if (d->hooks.leases(d->hooks.arg).count == 0)
        return 0; /* a claim would answer `not ours` for all, and we would forget them */
    size_t slots = d->slots < d->config.in_flight_max ? d->config.in_flight_max - d->slots : 0;
    size_t room = min_size(min_size(slots, d->flights.max - d->flights.count), d->config.batch_rows);
    return min_size(room, UNSET_MAX - d->unset_count);
}

static void look_again(struct dispatcher *d, int64_t wait_ms);

/* Of a provider that has room to spare for messages that may be another's. -1: there is none. */
static int take_spare(struct dispatcher *d, struct mono now, struct breaker_pass *ret)
{
    for (size_t i = 0; i < d->lane_count; i++) {
        if (lane_take_spare(&d->lanes[i], now, ret))
            return (int)i;
    }
    return -1;
}

/* Takes a slot for a message of this account and answers whose it is. When its provider has none, it may be a message of
 * another one, which only its claim tells: so one of them that can spare a slot gives it, where nothing is known of the account,
 * where its messages have had two, and every few seconds where its provider rests, because that is when people change it.
 * -1: none; *ret_queue is whose queue it joins. */
static int take_slot(struct dispatcher *d, int64_t account_id, struct mono now, struct breaker_pass *ret,
                     int *ret_queue)
{
    struct guess *g = guess_of(&d->guesses, account_id);
    int lane = g != NULL ? g->lane : d->default_lane, other = g != NULL ? guess_other(g, now) : -1;
    *ret_queue = lane;
    if (lane_take_ahead(&d->lanes[lane], now, ret))
        return lane;
    if (g == NULL)
        return take_spare(d, now, ret);
    if (other >= 0) {
        if (lane_take_spare(&d->lanes[other], now, ret))
            return other;
        if (lane_wait_ms(&d->lanes[other], now) < lane_wait_ms(&d->lanes[lane], now))
            *ret_queue = other;
    }
    if (breaker_wait_ms(&d->lanes[lane].breaker, now) == 0 || !mono_reached(g->ask_at, now))
        return -1;
    int spare = take_spare(d, now, ret);
    if (spare >= 0)
        g->ask_at = mono_add(now, ASK_AGAIN_MS);
    return spare;
}

/* Takes a slot for one message. False: the offer ends here. *ret NULL and true: the message is taken, but not asked
 * for. */
static bool take_one(struct dispatcher *d, const struct due_message *due, struct mono now, struct wall business,
                     struct flight **ret)
{
    struct flight *f = flights_find(&d->flights, due->ref);
    *ret = NULL;
    if (f != NULL) {
        f->again = true;
        return true;
    }
    struct breaker_pass pass;
    int queue, lane = take_slot(d, due->ref.account_id, now, &pass, &queue);
    if (lane < 0) {
        struct lane *l = &d->lanes[queue];
        if (d->lane_count > 1 && d->unset_count + d->config.batch_rows < UNSET_MAX) {
            dispatcher_set_later(d, due->ref, lane_queue_ms(l, now));
            return true;
        }
        int64_t wait_ms = lane_wait_ms(l, now);
        d->full_lane = wait_ms == 0 ? queue : -1;
        look_again(d, wait_ms > 0 ? wait_ms : LOOK_AGAIN_MS);
        return false;
    }
    f = flights_add(&d->flights, due->ref);
    assert(f != NULL); /* claim_room counted */
    f->dispatcher = d;
    f->due = due->due;
    f->lane = lane;
    f->pass = pass;
    if (due->due.us > business.us)
        early_count(d, f);
    d->slots++;
    *ret = f;
    return true;
}

size_t dispatcher_offer(struct dispatcher *d, const struct due_message *due, size_t count)
{
    struct flight *asked[STORE_BATCH_MAX];
    struct mono now = mono_now();
    struct wall business = business_now(d->clock);
    size_t taken = 0, room;
    bool stopped = false;
    d->offering = true;
    d->full_lane = -1;
    while (!stopped && taken < count && (room = claim_room(d)) > 0) {
        size_t asked_count = 0;
        while (taken < count && asked_count < room) {
            struct flight *f;
            stopped = !take_one(d, &due[taken], now, business, &f);
            if (stopped)
                break;
            taken++;
            if (f != NULL)
                asked[asked_count++] = f;
        }
        if (asked_count > 0)
            claim_start(d, asked, asked_count);
    }
    d->offering = false;
    if (taken < count) {
        d->refused = true;
        d->ask_at = mono_add(now, d->config.company_ms);
        if (!stopped)
            look_again(d, LOOK_AGAIN_MS);
    }
    return taken;
}

bool dispatcher_has_room(struct dispatcher *d)
{
    struct mono now = mono_now();
    bool room = false;
    for (size_t i = 0; i < d->lane_count && !room; i++)
        room = lane_room(&d->lanes[i], now) > 0;
    return room && claim_room(d) > 0;
}

void dispatcher_set_later(struct dispatcher *d, struct message_ref ref, int64_t wait_ms)
{
    struct wall at = { business_now(d->clock).us + business_span_us(d->clock, wait_ms) };
    struct due_message due = { ref, at };
    if (!d->offering) {
        d->hooks.put_off(d->hooks.arg, due);
        return;
    }
    assert(d->unset_count < UNSET_MAX); /* claim_room counted */
    d->unset[d->unset_count++] = due;
    dispatcher_soon(d);
}

static void set_unset(struct dispatcher *d)
{
    size_t count = d->unset_count;
    d->unset_count = 0;
    for (size_t i = 0; i < count; i++)
        d->hooks.put_off(d->hooks.arg, d->unset[i]);
}

void dispatcher_end_flight(struct dispatcher *d, struct flight *f, int64_t set_again_ms)
{
    struct message_ref ref = f->ref;
    if (set_again_ms < 0 && f->again)
        set_again_ms = 0;
    flights_remove(&d->flights, f);
    if (set_again_ms >= 0)
        dispatcher_set_later(d, ref, set_again_ms);
}

/* --- room -------------------------------------------------------------------------------------------------------- */

/* Slots come free one by one, and a claim costs a commit, however few it asks for. So they are claimed for by half of all
 * there are: while the database claims for one half, the other is being posted. While more is claimed than may be posted
 * at once no slot is idle, and nothing is gained by asking for fewer. */
static int64_t company_wait_ms(struct dispatcher *d, size_t room)
{
    struct mono now = mono_now();
    size_t all = min_size(d->config.in_flight_max, d->config.batch_rows);
    if (d->full_lane >= 0) {
        struct lane *l = &d->lanes[d->full_lane];
        size_t places = lane_places(l, now);
        room = min_size(room, lane_room(l, now));
        all = min_size(all, places);
        if (room < all / 2 && !lane_may_begin(l) && !list_empty(&l->ahead))
            return LOOK_AGAIN_MS;
    }
    return room >= all / 2 || mono_reached(d->ask_at, now) ? 0 : d->ask_at.ms - now.ms;
}

static void tell_room(struct dispatcher *d)
{
    if (!d->refused || d->draining)
        return;
    size_t room = claim_room(d);
    if (room == 0) {
        look_again(d, LOOK_AGAIN_MS); /* an end will tell sooner */
        return;
    }
    int64_t wait_ms = company_wait_ms(d, room);
    if (wait_ms > 0) {
        look_again(d, wait_ms);
        return;
    }
    d->refused = false;
    d->hooks.on_room(d->hooks.arg);
}

static void on_later(uv_timer_t *timer)
{
    tell_room(timer->data);
}

static void look_again(struct dispatcher *d, int64_t wait_ms)
{
    uv_timer_start(&d->later, on_later, (uint64_t)(wait_ms < LOOK_AGAIN_MS ? wait_ms : LOOK_AGAIN_MS), 0);
}

static bool is_drained(const struct dispatcher *d)
{
    return d->slots == 0 && d->claims == 0 && d->returns == 0 && d->flights.count == 0 && batch_count(d->batch) == 0 &&
           !settle_is_busy(d->settle) && !look_ups_busy(d->look_ups);
}

static void on_soon(uv_idle_t *idle)
{
    struct dispatcher *d = idle->data;
    uv_idle_stop(idle);
    set_unset(d);
    handover_return_taken_out(d);
    if (d->on_drained != NULL && is_drained(d)) {
        void (*cb)(void *arg) = d->on_drained;
        d->on_drained = NULL;
        cb(d->on_drained_arg);
        return;
    }
    tell_room(d);
}

void dispatcher_soon(struct dispatcher *d)
{
    uv_idle_start(&d->soon, on_soon);
}

void dispatcher_wake(struct dispatcher *d)
{
    if (d->handles_open > 0 && (d->refused || d->on_drained != NULL))
        dispatcher_soon(d);
}

void dispatcher_limits_changed(struct dispatcher *d)
{
    for (size_t i = 0; i < d->lane_count; i++) {
        const struct provider_config *c = &d->lanes[i].provider->config;
        budget_limit(&d->lanes[i].budget, c->rate_per_s, c->concurrency_max, mono_now());
        d->lanes[i].next_free_ms = 0; /* those were places at the old rate */
    }
    handover_go_on(d);
    dispatcher_wake(d);
}

void dispatcher_reloaded(struct dispatcher *d)
{
    for (size_t i = 0; i < d->lane_count; i++)
        d->lanes[i].next_free_ms = 0;
}

/* --- what batch and settle ask ------------------------------------------------------------------------------------ */

static struct lease_set hook_leases(void *arg)
{
    struct dispatcher *d = arg;
    return d->hooks.leases(d->hooks.arg);
}

static struct lease_set hook_held(void *arg)
{
    struct dispatcher *d = arg;
    return d->hooks.held(d->hooks.arg);
}

static void hook_set(void *arg, struct due_message due)
{
    struct dispatcher *d = arg;
    d->hooks.set(d->hooks.arg, due);
}

static void hook_decided(void *arg)
{
    dispatcher_wake(arg);
}

static void on_recorded(void *arg, const struct recorded_row *row)
{
    struct dispatcher *d = arg;
    struct flight *f = flights_find(&d->flights, row->ref);
    if (f != NULL && f->phase == FLIGHT_RECORDING)
        dispatcher_end_flight(d, f, -1);
    if (row->has_next)
        d->hooks.set(d->hooks.arg, row->next);
    dispatcher_wake(d);
}

static bool is_backlog(void *arg)
{
    const struct dispatcher *d = arg;
    return d->refused;
}

static bool settles_by_key(const struct lane *l)
{
    return l->provider->type->honours_key && l->provider->config.key_window_ms > 0;
}

/* Takes up to `most` slots of one provider; returns how many. */
static int set_aside(struct dispatcher *d, size_t lane, size_t most)
{
    int taken = 0;
    while ((size_t)taken < most && lane_take(&d->lanes[lane], mono_now(), &d->set_aside[d->set_aside_count].pass)) {
        d->set_aside[d->set_aside_count++].lane = (int)lane;
        d->slots++;
        taken++;
    }
    return taken;
}

/* What cannot be posted at once is not taken out of its doubt for nothing: each provider's own slots count. Every
 * provider gets its share of the places, and what is left over goes to another one each time. */
static struct settle_places settle_reserve(void *arg, size_t wanted)
{
    struct dispatcher *d = arg;
    size_t count = 0, lanes = 0;
    size_t room = d->draining || d->slots >= d->config.in_flight_max ? 0 : d->config.in_flight_max - d->slots;
    room = min_size(min_size(room, d->flights.max - d->flights.count), min_size(wanted, SETTLE_ROWS));
    for (size_t i = 0; i < d->lane_count; i++)
        lanes += settles_by_key(&d->lanes[i]);
    for (size_t k = 0; k < d->lane_count; k++) {
        size_t i = (d->settle_turn + k) % d->lane_count;
        const struct provider_config *c = &d->lanes[i].provider->config;
        if (!settles_by_key(&d->lanes[i]))
            continue;
        int places = set_aside(d, i, min_size(room - d->set_aside_count, room / lanes + 1));
        if (places == 0)
            continue;
        d->settle_names[count] = c->name;
        d->settle_windows_ms[count] = c->key_window_ms - min_ms(c->key_window_ms / 10, KEY_MARGIN_MS_MAX);
        d->settle_places[count++] = places;
    }
    d->settle_turn++;
    return (struct settle_places){ d->settle_names, d->settle_windows_ms, d->settle_places, count };
}

static bool may_look_up(void *arg, size_t provider)
{
    struct dispatcher *d = arg;
    return breaker_wait_ms(&d->lanes[provider].breaker, mono_now()) == 0;
}

/* --- life -------------------------------------------------------------------------------------------------------- */

static int64_t settle_after_ms(const struct dispatcher *d)
{
    int64_t longest_ms = 0;
    for (size_t i = 0; i < d->lane_count; i++) {
        if (d->lanes[i].provider->config.timeout_ms > longest_ms)
            longest_ms = d->lanes[i].provider->config.timeout_ms;
    }
    return d->config.settle_after_ms > 0 ? d->config.settle_after_ms : longest_ms + SETTLE_MARGIN_MS;
}

static enum status open_stages(struct dispatcher *d)
{
    /* Half of what may be in flight: what waits in a backlog never keeps all the places that new claims need. */
    size_t rows_max = min_size(d->config.batch_rows, (d->config.in_flight_max + 1) / 2);
    const struct batch_config batch = { .rows_max = rows_max,
                                        .wait_ms = d->config.batch_wait_ms,
                                        .wait_backlog_ms = d->config.batch_wait_ms * BACKLOG_WAITS,
                                        .again_ms = d->config.busy_again_ms };
    const struct batch_hooks batch_hooks = {
        .arg = d, .held = hook_held, .on_recorded = on_recorded, .is_backlog = is_backlog
    };
    const struct settle_config settle = { .every_ms = d->config.settle_every_ms,
                                          .after_ms = settle_after_ms(d),
                                          .policy_after_ms = d->config.policy_after_ms,
                                          .rows_max = SETTLE_ROWS };
    const struct settle_hooks settle_hooks = { .arg = d,
                                               .leases = hook_leases,
                                               .reserve = settle_reserve,
                                               .on_claimed = handover_settle,
                                               .set = hook_set,
                                               .on_decided = hook_decided };
    enum status st = batch_new(d->loop, d->store, &batch, &batch_hooks, &d->batch);
    if (st == OK)
        st = settle_new(d->loop, d->store, &settle, &settle_hooks, &d->settle);
    const struct look_up_config look_up = { .every_ms = d->config.settle_every_ms,
                                            .after_ms = settle_after_ms(d),
                                            .rows_max = LOOK_UP_ROWS };
    const struct look_up_hooks look_up_hooks = {
        .arg = d, .leases = hook_leases, .may_ask = may_look_up, .set = hook_set, .on_turn_ended = hook_decided
    };
    if (st == OK)
        st = look_ups_new(d->loop, d->store, d->transport, d->registry, &look_up, &look_up_hooks, &d->look_ups);
    return st;
}

static enum status check_config(const struct dispatcher_config *c, const struct registry *registry, struct err *e)
{
    if (c->in_flight_max < 1)
        return err_set(e, E_INVALID, "in_flight_max must be at least 1");
    if (c->batch_rows < 1 || c->batch_rows > STORE_BATCH_MAX)
        return err_set(e, E_INVALID, "batch_rows must be 1 to %d", STORE_BATCH_MAX);
    if (c->claims_max < 1 || c->settle_every_ms < 1 || c->breaker_failures_max < 1 || c->breaker_open_ms < 1)
        return err_set(e, E_INVALID,
                       "claims_max, settle_every, breaker_failures_max and breaker_open must be positive");
    if (c->default_provider == NULL || registry_find(registry, c->default_provider) < 0)
        return err_set(e, E_INVALID, "provider '%s' is not configured",
                       c->default_provider != NULL ? c->default_provider : "");
    return OK;
}

enum status dispatcher_new(uv_loop_t *loop, struct store *store, struct transport *transport,
                           const struct registry *registry, const struct business_clock *clock,
                           const struct dispatcher_config *config, const struct dispatcher_hooks *hooks,
                           struct dispatcher **ret, struct err *e)
{
    enum status st = check_config(config, registry, e);
    if (st != OK)
        return st;
    struct dispatcher *d = calloc(1, sizeof *d);
    if (d == NULL)
        return err_set(e, E_NOMEM, "out of memory for the dispatcher");
    d->loop = loop;
    d->store = store;
    d->transport = transport;
    d->registry = registry;
    d->clock = clock;
    d->config = *config;
    d->hooks = *hooks;
    d->lane_count = registry_count(registry);
    d->default_lane = registry_find(registry, config->default_provider);
    d->full_lane = -1;
    for (size_t i = 0; i < d->lane_count; i++)
        lane_init(&d->lanes[i], registry_at(registry, i), config->breaker_failures_max, config->breaker_open_ms,
                  config->breaker_open_ms_max, mono_now());
    st = flights_init(&d->flights, 2 * config->in_flight_max);
    if (st == OK)
        st = open_stages(d);
    if (st != OK) {
        if (d->batch != NULL)
            batch_close(d->batch);
        if (d->settle != NULL)
            settle_close(d->settle);
        flights_fini(&d->flights);
        free(d);
        return err_set(e, st, "out of memory for the dispatcher");
    }
    uv_idle_init(loop, &d->soon);
    uv_timer_init(loop, &d->later);
    uv_timer_init(loop, &d->ahead);
    uv_timer_init(loop, &d->due);
    list_init(&d->early);
    d->soon.data = d->later.data = d->ahead.data = d->due.data = d;
    d->handles_open = 4;
    *ret = d;
    return OK;
}

void dispatcher_drain(struct dispatcher *d, void (*cb)(void *arg), void *arg)
{
    d->draining = true;
    d->on_drained = cb;
    d->on_drained_arg = arg;
    settle_stop(d->settle);
    look_ups_stop(d->look_ups);
    handover_go_on(d);
    batch_hurry(d->batch);
    dispatcher_wake(d);
}

void dispatcher_abort(struct dispatcher *d)
{
    d->draining = true;
    d->on_drained = NULL;
    settle_stop(d->settle);
    look_ups_stop(d->look_ups);
    handover_drop_ahead(d);
    batch_stop(d->batch);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct dispatcher *d = handle->data;
    if (--d->handles_open > 0)
        return;
    flights_fini(&d->flights);
    free(d);
}

void dispatcher_close(struct dispatcher *d)
{
    assert(d->claims == 0 && d->returns == 0);
    size_t lost = batch_close(d->batch);
    settle_close(d->settle);
    look_ups_close(d->look_ups);
    if (lost > 0)
        log_warn("results_dropped", kv("results", lost));
    uv_close((uv_handle_t *)&d->soon, on_handle_closed);
    uv_close((uv_handle_t *)&d->later, on_handle_closed);
    uv_close((uv_handle_t *)&d->ahead, on_handle_closed);
    uv_close((uv_handle_t *)&d->due, on_handle_closed);
}

/* --- questions ---------------------------------------------------------------------------------------------------- */

bool dispatcher_in_flight(const struct dispatcher *d, struct message_ref ref)
{
    return flights_find(&d->flights, ref) != NULL;
}

size_t dispatcher_list_in_flight(const struct dispatcher *d, struct message_ref *ret_refs, size_t refs_max)
{
    size_t count = 0;
    for (size_t b = 0; b < d->flights.bucket_count; b++) {
        for (const struct flight *f = d->flights.buckets[b]; f != NULL; f = f->next) {
            if (count < refs_max)
                ret_refs[count] = f->ref;
            count++;
        }
    }
    return count;
}

size_t dispatcher_in_flight_max(const struct dispatcher *d)
{
    return d->flights.max;
}

void dispatcher_read_stats(const struct dispatcher *d, struct dispatcher_stats *ret)
{
    *ret = d->stats;
    ret->settle_after_ms = settle_after_ms(d);
    ret->batch = *batch_stats(d->batch);
    ret->settle = settle_stats(d->settle);
    ret->look_ups = look_ups_stats(d->look_ups);
    ret->slots = d->slots;
    ret->in_flight = d->flights.count;
    ret->waiting = batch_count(d->batch);
}

size_t dispatcher_providers(const struct dispatcher *d)
{
    return d->lane_count;
}

struct dispatcher_provider_stats dispatcher_provider_at(const struct dispatcher *d, size_t i)
{
    const struct lane *l = &d->lanes[i];
    return (struct dispatcher_provider_stats){
        .name = l->provider->config.name,
        .breaker = l->breaker.state,
        .breaker_wait_ms = breaker_wait_ms(&l->breaker, mono_now()),
        .posts = l->begun,
        .window = (size_t)l->budget.window,
        .key_window_ms = l->provider->config.key_window_ms,
        .look_up_proof_ms = l->provider->config.look_up_proof_ms,
        .looks_up = l->provider->type->build_look_up != NULL,
    };
}
