#include "followupd/sched/scheduler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/base/log.h"
#include "followupd/base/stats.h"
#include "followupd/sched/agenda.h"
#include "followupd/sched/loader.h"
#include "followupd/sched/sweep.h"
#include "followupd/sched/wake.h"
#include "followupd/store/shard.h"

#define WAIT_MS_MAX       1000 /* the clock may be set, the machine may have slept */
#define TICK_MS_MAX       250
#define TICK_MS_MIN       10
#define LOAD_RETRY_MS     1000
#define LEISURE_IDS       1024 /* of wheel_idle a tick */
#define BACK_MS_MAX       1000 /* real: two readings never agree to the microsecond, and a fast clock makes much of little */
#define CLOCK_PERIODS_MAX 6
#define DRIFT             2000 /* of two clocks: a part in so many, at most */
#define AHEAD_MS          25   /* real: what is due by then is handed over, to be claimed before it is due */
#define GATHER_MS         12   /* of it; a claim takes what remains of it at most, or its messages are late */
_Static_assert(AHEAD_MS < STORE_CLAIM_EARLY_MS_MAX, "our clock and the database's are never quite the same");

struct scheduler {
    uv_loop_t *loop;
    struct store *store;
    struct scheduler_config config;
    struct scheduler_consumer consumer;
    struct agenda *agenda;
    struct due_message *shown; /* to the consumer; batch_max of them */
    struct loader loader;
    struct sweep sweep;

    struct business_clock clock;
    bool has_clock, clock_asked;
    bool up;
    bool consumer_full; /* until scheduler_pull */
    uint64_t shards;    /* ours, a bit each */
    int64_t put_off_ms; /* business time of the latest that was put off; 0: none */

    uv_timer_t wheel_timer;
    uv_idle_t again; /* more is due than a turn may look at */
    uv_timer_t tick;
    int64_t armed_ms; /* business time that wheel_timer waits for; INT64_MAX: none */
    struct mono sweep_at, older_at, clock_at, load_at;

    uint64_t due_total, swept_total, notified_total;
    struct mono notified_at;
    struct peak pause; /* microseconds that one advance took */
    int handles_open;
    bool closing;
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};

/* --- the wheel's turn ------------------------------------------------------------------------------------------- */

static void turn(struct scheduler *s);

static void on_wheel_timer(uv_timer_t *timer)
{
    turn(container_of(timer, struct scheduler, wheel_timer));
}

static void on_again(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    turn(container_of(idle, struct scheduler, again));
}

static bool works(const struct scheduler *s)
{
    return s->up && s->has_clock && !s->closing;
}

static void turn_soon(struct scheduler *s)
{
    if (works(s))
        uv_idle_start(&s->again, on_again);
}

static void hand_over(struct scheduler *s)
{
    size_t count;
    const struct due_message *due = agenda_ready(s->agenda, &count);
    if (count == 0 || s->consumer_full)
        return;
    if (count > s->config.batch_max)
        count = s->config.batch_max;
    /* A copy: the consumer may set and cancel others while it looks. */
    memcpy(s->shown, due, count * sizeof *due);
    size_t taken = s->consumer.on_due(s->consumer.arg, s->shown, count);
    s->consumer_full = taken < count;
    s->due_total += taken;
    agenda_take(s->agenda, s->shown, taken);
}

/* The wheel's time: it is ahead of the clock. */
static struct wall wheel_now(const struct scheduler *s)
{
    return (struct wall){ business_now(&s->clock).us + business_span_us(&s->clock, AHEAD_MS) };
}

/* What comes next is not handed over as soon as it may be: with it goes what is due shortly after it, in one claim. */
static void arm(struct scheduler *s)
{
    int64_t next_ms = agenda_next_ms(s->agenda);
    s->armed_ms = next_ms;
    if (next_ms == INT64_MAX) {
        uv_timer_stop(&s->wheel_timer);
        return;
    }
    int64_t ahead_us = business_span_us(&s->clock, AHEAD_MS - GATHER_MS);
    int64_t wait_ms = business_wait_ms(&s->clock, (struct wall){ next_ms * 1000 - ahead_us });
    if (wait_ms < 1)
        wait_ms = 1;
    uv_update_time(s->loop);
    uv_timer_start(&s->wheel_timer, on_wheel_timer, (uint64_t)(wait_ms > WAIT_MS_MAX ? WAIT_MS_MAX : wait_ms), 0);
}

static void turn(struct scheduler *s)
{
    if (!works(s))
        return;
    struct wall now = business_now(&s->clock);
    int64_t began_us = mono_now_us();
    if (loader_work(&s->loader, now))
        uv_idle_start(&s->again, on_again);
    bool more = agenda_advance(s->agenda, wheel_now(s), s->config.advance_budget);
    int64_t ended_us = mono_now_us();
    peak_add(&s->pause, (uint64_t)(ended_us - began_us), ended_us / 1000);
    hand_over(s);
    if (!works(s))
        return;
    size_t ready;
    agenda_ready(s->agenda, &ready);
    if (agenda_full(s->agenda) && s->consumer_full) {
        uv_timer_stop(&s->wheel_timer); /* the pull goes on */
        s->armed_ms = INT64_MIN;
    } else if (more || (ready > 0 && !s->consumer_full)) {
        uv_idle_start(&s->again, on_again);
    } else {
        arm(s);
    }
}

/* --- what is set and cancelled ---------------------------------------------------------------------------------- */

static void set(struct scheduler *s, struct message_ref ref, struct wall due)
{
    if (due.us >= loader_keeps_until(&s->loader).us) {
        agenda_cancel(s->agenda, ref);
        return;
    }
    enum status st = agenda_set(s->agenda, ref, due);
    if (st != OK) {
        log_error("message_not_armed", kv("account", ref.account_id), kv("message", ref.message_id),
                  kv("error", status_text(st)));
        return;
    }
    if (due_ms_up(due) < s->armed_ms)
        turn_soon(s);
}

/* From the database's side: what we work on ourselves is not set. */
static void set_unless_in_flight(struct scheduler *s, struct message_ref ref, struct wall due)
{
    if (!s->consumer.in_flight(s->consumer.arg, ref))
        set(s, ref, due);
}

static bool is_ours(const struct scheduler *s, int64_t account_id)
{
    return (s->shards >> shard_of(account_id) & 1) != 0;
}

static void wake_on_set(void *arg, struct message_ref ref, struct wall due)
{
    struct scheduler *s = arg;
    if (is_ours(s, ref.account_id))
        set_unless_in_flight(s, ref, due);
}

static void wake_on_cancel(void *arg, struct message_ref ref)
{
    struct scheduler *s = arg;
    if (!is_ours(s, ref.account_id))
        return;
    agenda_cancel(s->agenda, ref);
    s->consumer.cancel(s->consumer.arg, ref);
}

static void wake_on_reload(void *arg, int64_t account_id)
{
    struct scheduler *s = arg;
    if (account_id == 0 || is_ours(s, account_id))
        scheduler_reload(s, account_id);
}

/* A row of a sweep: new to us, or due at another time than we thought. What is due and was put off is neither: it has its
 * place in a provider's queue, and would lose it. */
static void sweep_on_row(void *arg, const struct due_message *row)
{
    struct scheduler *s = arg;
    int64_t known_ms, due_ms = due_ms_up(row->due);
    if (agenda_due_ms(s->agenda, row->ref, &known_ms)) {
        int64_t now_ms = wheel_now(s).us / 1000;
        int64_t until_ms = s->put_off_ms > now_ms ? s->put_off_ms : now_ms;
        if (known_ms == due_ms || (due_ms <= now_ms && known_ms <= until_ms))
            return;
    } else if (agenda_known(s->agenda, row->ref) || s->consumer.in_flight(s->consumer.arg, row->ref)) {
        return;
    }
    s->swept_total += loader_complete(&s->loader); /* else a load would have found it as well */
    set_unless_in_flight(s, row->ref, row->due);
}

/* The interval of the frequent sweep. */
static void due_now(const struct scheduler *s, struct wall *ret_from, struct wall *ret_until)
{
    int64_t now_us = business_now(&s->clock).us;
    ret_from->us = now_us - business_span_us(&s->clock, s->config.sweep_back_ms);
    ret_until->us = now_us + business_span_us(&s->clock, s->config.sweep_ahead_ms);
}

static const struct message_ref *sweep_in_flight(void *arg, size_t *ret_count)
{
    struct scheduler *s = arg;
    return s->consumer.in_flight_list(s->consumer.arg, ret_count);
}

static bool load_in_flight(void *arg, struct message_ref ref)
{
    struct scheduler *s = arg;
    return s->consumer.in_flight(s->consumer.arg, ref);
}

static void load_on_work(void *arg)
{
    turn_soon(arg);
}

static void load_on_reloaded(void *arg)
{
    struct scheduler *s = arg;
    s->consumer.reloaded(s->consumer.arg);
}

/* --- the clock -------------------------------------------------------------------------------------------------- */

/* The longer the answer took, the less is known of when it was read. What we have is better then, for a while; but not if
 * the clock has been set. */
static bool is_worse(const struct scheduler *s, const struct business_clock *reading)
{
    const struct business_clock *had = &s->clock;
    int64_t age_us = reading->mono_us - had->mono_us, drift_us = age_us / DRIFT;
    double apart_us = fabs((double)(business_now(reading).us - business_now(had).us)) / had->rate;
    return s->has_clock && reading->rate == had->rate && age_us < CLOCK_PERIODS_MAX * s->config.clock_ms * 1000 &&
           reading->error_us > had->error_us + drift_us &&
           apart_us <= (double)(reading->error_us + had->error_us + drift_us);
}

/* What is due about now does not wait until all is loaded: it may be millions. */
static void load_all(struct scheduler *s)
{
    struct wall from, until;
    loader_all(&s->loader, business_now(&s->clock));
    due_now(s, &from, &until);
    if (sweep_recent(&s->sweep, from, until) == OK)
        s->sweep_at = mono_add(mono_now(), s->config.sweep_ms);
}

static void on_clock(void *arg, enum status st, const struct err *e, struct wall business, double rate,
                     int64_t asked_us, int64_t answered_us)
{
    struct scheduler *s = arg;
    s->clock_asked = false;
    if (st != OK) {
        if (st != E_GONE && st != E_CANCELLED)
            log_warn("clock_not_read", kv("error", e->text));
        return;
    }
    struct business_clock reading;
    business_clock_set(&reading, business, rate, asked_us, answered_us);
    if (is_worse(s, &reading))
        return;
    bool first = !s->has_clock;
    int64_t before_us = first ? INT64_MIN : wheel_now(s).us;
    s->clock = reading;
    s->has_clock = true;
    /* A wheel does not turn back: when business time does (a clock set by hand), it takes a new one. */
    bool back = !first && wheel_now(s).us < before_us - business_span_us(&s->clock, BACK_MS_MAX);
    if ((first || back) && s->up) {
        s->put_off_ms = 0;
        load_all(s);
    }
    turn_soon(s);
}

static void ask_clock(struct scheduler *s)
{
    if (!s->clock_asked && s->store->ops->clock(s->store, on_clock, s) == OK)
        s->clock_asked = true;
}

/* --- periods ---------------------------------------------------------------------------------------------------- */

static void sweep_if_time(struct scheduler *s, struct mono now)
{
    /* While everything is loaded anew the sweep would only fill the log. */
    if (!loader_complete(&s->loader))
        return;
    struct wall back, ahead;
    due_now(s, &back, &ahead);
    if (mono_reached(s->older_at, now) && sweep_older(&s->sweep, back) == OK)
        s->older_at = mono_add(now, s->config.sweep_older_ms);
    if (!mono_reached(s->sweep_at, now))
        return;
    enum status recent = sweep_recent(&s->sweep, back, ahead);
    enum status sending = sweep_sending(&s->sweep, s->config.sending_grace_ms);
    if (recent == OK && sending != E_GONE)
        s->sweep_at = mono_add(now, s->config.sweep_ms);
}

static void on_tick(uv_timer_t *timer)
{
    struct scheduler *s = container_of(timer, struct scheduler, tick);
    if (!s->up)
        return;
    struct mono now = mono_now();
    if (mono_reached(s->clock_at, now)) {
        ask_clock(s);
        s->clock_at = mono_add(now, s->has_clock ? s->config.clock_ms : TICK_MS_MAX);
    }
    if (!s->has_clock)
        return;
    if (mono_reached(s->load_at, now) || loader_rested(&s->loader)) {
        loader_poke(&s->loader, business_now(&s->clock));
        s->load_at = mono_add(now, LOAD_RETRY_MS);
    }
    sweep_if_time(s, now);
    agenda_idle(s->agenda, LEISURE_IDS);
    size_t ready;
    agenda_ready(s->agenda, &ready);
    if (ready > 0 && !s->consumer_full)
        turn_soon(s);
}

/* --- the outside ------------------------------------------------------------------------------------------------ */

void scheduler_up(struct scheduler *s)
{
    s->up = true;
    s->has_clock = false; /* another server may be behind the same name */
    s->consumer_full = false;
    s->clock_at = s->sweep_at = s->older_at = s->load_at = mono_now();
    ask_clock(s);
}

void scheduler_down(struct scheduler *s)
{
    s->up = false;
    s->clock_asked = false;
    loader_down(&s->loader);
    uv_timer_stop(&s->wheel_timer);
    uv_idle_stop(&s->again);
}

void scheduler_notify(struct scheduler *s, const char *payload)
{
    struct wake_events events = { s, wake_on_set, wake_on_cancel, wake_on_reload };
    struct err e;
    s->notified_total++;
    s->notified_at = mono_now();
    if (wake_parse(payload, &events, &e) != OK)
        log_warn("notify_not_understood", kv("error", e.text));
}

void scheduler_leases(struct scheduler *s, struct lease_set leases)
{
    uint64_t shards = 0;
    int list[STORE_SHARDS];
    for (size_t i = 0; i < leases.count; i++) {
        list[i] = leases.leases[i].shard;
        shards |= UINT64_C(1) << leases.leases[i].shard;
    }
    bool changed = shards != s->shards;
    s->shards = shards;
    loader_shards(&s->loader, list, leases.count);
    sweep_leases(&s->sweep, leases);
    if (changed)
        scheduler_reload(s, 0);
}

void scheduler_set(struct scheduler *s, struct message_ref ref, struct wall due)
{
    set(s, ref, due);
}

void scheduler_put_off(struct scheduler *s, struct message_ref ref, struct wall until)
{
    if (due_ms_up(until) > s->put_off_ms)
        s->put_off_ms = due_ms_up(until);
    set(s, ref, until);
}

bool scheduler_known(const struct scheduler *s, struct message_ref ref)
{
    return agenda_known(s->agenda, ref);
}

void scheduler_pull(struct scheduler *s)
{
    s->consumer_full = false;
    turn_soon(s);
}

void scheduler_reload(struct scheduler *s, int64_t account_id)
{
    if (!works(s))
        return; /* everything is loaded when the clock has been read */
    if (account_id == 0)
        load_all(s);
    else
        loader_account(&s->loader, account_id, business_now(&s->clock));
}

bool scheduler_clock(const struct scheduler *s, struct business_clock *ret)
{
    if (s->has_clock)
        *ret = s->clock;
    return s->has_clock;
}

void scheduler_count(const struct scheduler *s, struct scheduler_counts *ret)
{
    *ret = (struct scheduler_counts){ .live = agenda_count(s->agenda),
                                      .due_total = s->due_total,
                                      .swept_total = s->swept_total,
                                      .complete = loader_complete(&s->loader),
                                      .pause_max_us = s->pause.ever,
                                      .pause_recent_us = peak_recent(&s->pause, mono_now().ms),
                                      .notified_total = s->notified_total,
                                      .notify_age_ms = s->notified_total > 0 ? mono_now().ms - s->notified_at.ms : -1,
                                      .horizon_ms = s->loader.horizon_ms,
                                      .load = s->loader.stats };
    agenda_wheel(s->agenda, &ret->wheel);
    agenda_ready(s->agenda, &ret->ready);
}

/* --- life ------------------------------------------------------------------------------------------------------- */

static void fill(struct scheduler_config *c)
{
    struct {
        int64_t *at, value;
    } times[] = { { &c->horizon_ms, 72 * 3600 * 1000LL },
                  { &c->sweep_ms, 5000 },
                  { &c->sweep_back_ms, 300000 },
                  { &c->sweep_ahead_ms, 10000 },
                  { &c->sweep_older_ms, 60000 },
                  { &c->sending_grace_ms, 15000 },
                  { &c->clock_ms, 5000 } };
    struct {
        size_t *at, value;
    } counts[] = { { &c->ready_max, 1024 },
                   { &c->batch_max, 256 },
                   { &c->advance_budget, 256 },
                   { &c->replay_max, 262144 },
                   { &c->rows_max, 10000000 } };
    for (size_t i = 0; i < COUNT_OF(times); i++)
        *times[i].at = *times[i].at == 0 ? times[i].value : *times[i].at;
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        *counts[i].at = *counts[i].at == 0 ? counts[i].value : *counts[i].at;
}

static uint64_t tick_ms(const struct scheduler_config *c)
{
    int64_t ms = (c->sweep_ms < c->clock_ms ? c->sweep_ms : c->clock_ms) / 4;
    return (uint64_t)(ms < TICK_MS_MIN ? TICK_MS_MIN : ms > TICK_MS_MAX ? TICK_MS_MAX : ms);
}

enum status scheduler_open(uv_loop_t *loop, struct store *store, const struct scheduler_config *config,
                           const struct scheduler_consumer *consumer, struct scheduler **ret, struct err *e)
{
    struct scheduler *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    s->loop = loop;
    s->store = store;
    s->config = *config;
    fill(&s->config);
    s->consumer = *consumer;
    s->armed_ms = INT64_MAX;
    struct agenda_config agenda = { s->config.ready_max, s->config.replay_max };
    s->agenda = agenda_new(&agenda, wall_now());
    s->shown = calloc(s->config.batch_max, sizeof *s->shown);
    if (s->agenda == NULL || s->shown == NULL) {
        agenda_free(s->agenda);
        free(s->shown);
        free(s);
        return err_set(e, E_NOMEM, "out of memory");
    }
    struct loader_config loader = { s->config.horizon_ms, s->config.rows_max };
    loader_init(&s->loader, &loader, store, s->agenda);
    s->loader.arg = s;
    s->loader.in_flight = load_in_flight;
    s->loader.on_work = load_on_work;
    s->loader.on_reloaded = load_on_reloaded;
    sweep_init(&s->sweep, store);
    s->sweep.arg = s;
    s->sweep.on_row = sweep_on_row;
    s->sweep.in_flight_list = sweep_in_flight;
    uv_timer_init(loop, &s->wheel_timer);
    uv_idle_init(loop, &s->again);
    uv_timer_init(loop, &s->tick);
    s->handles_open = 3;
    uv_timer_start(&s->tick, on_tick, tick_ms(&s->config), tick_ms(&s->config));
    *ret = s;
    return OK;
}

static void closed_one(struct scheduler *s)
{
    if (--s->handles_open > 0)
        return;
    void (*on_closed)(void *) = s->on_closed;
    void *arg = s->on_closed_arg;
    agenda_free(s->agenda);
    free(s->shown);
    free(s);
    if (on_closed != NULL)
        on_closed(arg);
}

static void on_closed_handle(uv_handle_t *handle)
{
    closed_one(handle->data);
}

void scheduler_close(struct scheduler *s, void (*on_closed)(void *arg), void *arg)
{
    s->closing = true;
    s->on_closed = on_closed;
    s->on_closed_arg = arg;
    s->wheel_timer.data = s->again.data = s->tick.data = s;
    uv_close((uv_handle_t *)&s->wheel_timer, on_closed_handle);
    uv_close((uv_handle_t *)&s->again, on_closed_handle);
    uv_close((uv_handle_t *)&s->tick, on_closed_handle);
}
