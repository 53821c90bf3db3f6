#include <stdlib.h>

#include "dispatcher_priv.h"
#include "followupd/base/crash_point.h"
#include "followupd/base/log.h"

#define NO_PROVIDER_AGAIN_MS 60000
#define HELD_MS_MAX          100 /* claimed ahead, without a slot */
#define HELD_LOOK_MS         25
#define AHEAD_PAUSE_MS       1000 /* after one of them had to be given back for that */

static const char not_now[] = "its provider is not to be asked now";

static void release_slot(struct dispatcher *d, struct flight *f)
{
    early_over(d, f);
    lane_unused(&d->lanes[f->lane], f->pass);
    d->slots--;
}

static void record(struct dispatcher *d, struct flight *f, struct kept_result *k)
{
    f->phase = FLIGHT_RECORDING;
    d->stats.outcomes[k->result.outcome]++;
    batch_add(d->batch, k);
}

/* Records an outcome without a POST; without memory for that the row is found by sweep_sending. */
static void record_unposted(struct dispatcher *d, struct flight *f, const struct claim_row *row, enum outcome outcome,
                            const char *reason, int64_t retry_after_ms)
{
    struct kept_result *k = attempt_not_posted(row, outcome, reason);
    release_slot(d, f);
    if (k == NULL) {
        dispatcher_end_flight(d, f, -1);
        return;
    }
    k->result.uncounted = outcome == OUTCOME_RETRY;
    k->result.retry_after_ms = retry_after_ms;
    record(d, f, k);
}

/* --- giving back ------------------------------------------------------------------------------------------------ */

/* Most answers give nothing back, and 170 KB are much to clear for each of them. NULL: out of memory. */
static struct giveback *giveback_of(struct dispatcher *d, struct giveback **g)
{
    if (*g == NULL) {
        *g = calloc(1, sizeof **g);
        if (*g != NULL)
            (*g)->dispatcher = d;
    }
    return *g;
}

static void give_back(struct dispatcher *d, struct flight *f, const struct claim_row *row, struct giveback **gives_back,
                      const char *reason)
{
    if (f->settling) { /* it may have left before: only `in doubt` is true */
        record_unposted(d, f, row, OUTCOME_IN_DOUBT, reason, 0);
        return;
    }
    d->stats.given_back++;
    log_info("message_given_back", kv("account", row->ref.account_id), kv("message", row->ref.message_id),
             kv("reason", reason));
    release_slot(d, f);
    if (*gives_back != NULL && (*gives_back)->count == STORE_BATCH_MAX) {
        handover_give_back(*gives_back);
        *gives_back = NULL;
    }
    struct giveback *g = giveback_of(d, gives_back);
    if (g == NULL) {
        dispatcher_end_flight(d, f, -1); /* out of memory: sweep_sending brings it back */
        return;
    }
    f->phase = FLIGHT_RETURNING;
    g->flights[g->count] = f;
    g->claimed[g->count++] = (struct send_result){ .ref = row->ref,
                                                   .attempts = row->attempts,
                                                   .posts = row->posts,
                                                   .epoch = row->epoch,
                                                   .outcome = OUTCOME_RETRY,
                                                   .uncounted = true };
}

static void on_given_back(void *arg, enum status st, const struct err *e, const struct due_message *rows, size_t count)
{
    struct giveback *g = arg;
    struct dispatcher *d = g->dispatcher;
    d->returns--;
    CRASH_POINT(unclaim_answered);
    if (st != OK) /* the rows stay `sending` without us: sweep_sending brings them back */
        log_warn("give_back_failed", kv("status", status_text(st)), kv("messages", g->count),
                 kv("reason", e != NULL ? e->text : ""));
    for (size_t i = 0; st == OK && i < count; i++)
        d->hooks.set(d->hooks.arg, rows[i]);
    for (size_t i = 0; i < g->count; i++) {
        int64_t again_ms = st == OK ? g->flights[i]->again_ms : 0;
        dispatcher_end_flight(d, g->flights[i], again_ms > 0 ? again_ms : -1);
    }
    free(g);
    dispatcher_wake(d);
}

void handover_give_back(struct giveback *g)
{
    if (g == NULL)
        return;
    struct dispatcher *d = g->dispatcher;
    d->returns++;
    CRASH_POINT(unclaim_wanted);
    enum status st = d->store->ops->unclaim(d->store, g->claimed, g->count, on_given_back, g);
    CRASH_POINT(unclaim_asked);
    if (st != OK)
        on_given_back(g, st, NULL, NULL, 0);
}

/* --- the POST ---------------------------------------------------------------------------------------------------- */

static void measure(struct dispatcher *d, const struct flight *f)
{
    const struct attempt *a = &f->attempt;
    if (a->begun_us == 0)
        return;
    histogram_add(&d->stats.latency, a->ended_us - a->begun_us);
    if (f->settling)
        return;
    double late_ms = business_late_ms(d->clock, f->due, business_now(d->clock));
    histogram_add(&d->stats.late, (int64_t)(late_ms * 1000.0) - (mono_now_us() - a->begun_us));
}

static void log_end(const struct flight *f, const struct judgement *j, const struct kept_result *k)
{
    const char *provider = f->attempt.provider->config.name;
    int64_t latency_ms = (f->attempt.ended_us - f->attempt.started_us) / 1000;
    enum log_level level = j->alarm                         ? LOG_LEVEL_ERROR
                           : j->outcome == OUTCOME_SENT     ? LOG_LEVEL_DEBUG
                           : j->outcome == OUTCOME_IN_DOUBT ? LOG_LEVEL_WARN
                                                            : LOG_LEVEL_INFO;
    log_at(level, j->alarm ? "provider_redirects" : "message_attempted", kv("account", f->ref.account_id),
           kv("message", f->ref.message_id), kv("provider", provider), kv("outcome", outcome_label(j->outcome)),
           kv("http_status", k->result.http_status), kv("attempt", k->result.attempts), kv("post", k->result.posts),
           kv("latency_ms", latency_ms));
}

static void on_attempt_end(struct attempt *a, const struct judgement *j, struct kept_result *k)
{
    struct flight *f = container_of(a, struct flight, attempt);
    struct dispatcher *d = f->dispatcher;
    struct lane *lane = &d->lanes[f->lane];
    struct mono now = mono_now();
    int64_t latency_ms = a->begun_us != 0 ? (a->ended_us - a->begun_us) / 1000 : -1;
    if (j->called_off) {
        lane->begun--;
        lane_unused(lane, f->pass);
    } else {
        lane_end(lane, f->pass, j, latency_ms, now);
    }
    /* Not the message's fault: no sooner than the provider may be asked again. */
    if (j->uncounted && k->result.retry_after_ms == 0)
        k->result.retry_after_ms = lane_wait_ms(lane, now) > 1000 ? lane_wait_ms(lane, now) : 1000;
    if (k->result.retry_after_ms > PROVIDER_RETRY_AFTER_MS_MAX)
        k->result.retry_after_ms = PROVIDER_RETRY_AFTER_MS_MAX;
    measure(d, f);
    log_end(f, j, k);
    d->slots--;
    record(d, f, k);
    handover_go_on(d);
    dispatcher_wake(d);
}

/* The slot goes where the database says. False: that provider has none; f keeps its old one. */
static bool move_slot(struct dispatcher *d, struct flight *f, int lane)
{
    struct breaker_pass pass;
    if (lane == f->lane)
        return true;
    if (!lane_take(&d->lanes[lane], mono_now(), &pass))
        return false;
    early_over(d, f);
    lane_unused(&d->lanes[f->lane], f->pass);
    f->lane = lane;
    f->pass = pass;
    return true;
}

/* NULL: the POST may begin now. */
static const char *reason_against(struct dispatcher *d, const struct flight *f, int64_t epoch)
{
    if (f->cancelled)
        return "it was taken out meanwhile";
    if (mono_now_us() - f->asked_us > d->config.begin_within_ms * 1000)
        return "too long after its claim";
    if (!d->hooks.may_send(d->hooks.arg, f->shard, epoch))
        return "the lease is over";
    return NULL;
}

/* To connect may have taken seconds: what was taken out meanwhile, or has another owner, does not leave. */
static bool may_begin(struct attempt *a)
{
    const struct flight *f = container_of(a, struct flight, attempt);
    const struct dispatcher_hooks *hooks = &f->dispatcher->hooks;
    return !f->cancelled && hooks->may_send(hooks->arg, f->shard, a->kept->result.epoch);
}

static void post(struct dispatcher *d, struct flight *f, const struct claim_row *row, struct giveback **gives_back)
{
    struct lane *l = &d->lanes[f->lane];
    f->phase = FLIGHT_POSTING;
    l->begun++;
    f->attempt.may_begin = may_begin;
    enum status st = attempt_post(&f->attempt, d->transport);
    if (st == OK)
        return;
    l->begun--;
    f->again_ms = d->config.busy_again_ms;
    give_back(d, f, row, gives_back, status_text(st));
}

/* --- claimed ahead ------------------------------------------------------------------------------------------------ */

void handover_wait(struct dispatcher *d, struct flight *f)
{
    f->phase = FLIGHT_AHEAD;
    f->held_us = mono_now_us();
    list_append(&d->lanes[f->lane].ahead, &f->node);
    if (!uv_is_active((uv_handle_t *)&d->ahead))
        uv_timer_start(&d->ahead, handover_on_ahead, HELD_LOOK_MS, HELD_LOOK_MS);
}

static const char *reason_to_end(struct dispatcher *d, struct lane *l, const struct flight *f, struct mono now)
{
    if (d->draining)
        return "the worker stops";
    if (!lane_pass_holds(l, f->pass, now))
        return not_now;
    if (mono_now_us() - f->held_us < HELD_MS_MAX * 1000)
        return NULL;
    l->ahead_from = mono_add(now, AHEAD_PAUSE_MS);
    return "its provider became slow";
}

static struct claim_row claimed_row(const struct flight *f)
{
    const struct send_result *claimed = &f->attempt.kept->result;
    return (struct claim_row){
        .ref = f->ref, .attempts = claimed->attempts, .posts = claimed->posts, .epoch = claimed->epoch
    };
}

static void go_on(struct dispatcher *d, struct lane *l, struct giveback **gives_back)
{
    struct mono now = mono_now();
    list_for_each (node, &l->ahead) {
        struct flight *f = container_of(node, struct flight, node);
        const struct claim_row row = claimed_row(f);
        const char *reason = reason_to_end(d, l, f, now);
        if (reason == NULL && !lane_may_begin(l))
            return;
        if (reason == NULL)
            reason = reason_against(d, f, row.epoch);
        list_remove(node);
        if (reason == NULL) {
            post(d, f, &row, gives_back);
            continue;
        }
        attempt_drop(&f->attempt);
        give_back(d, f, &row, gives_back, reason);
    }
}

void handover_go_on(struct dispatcher *d)
{
    struct giveback *gives_back = NULL;
    if (d->draining)
        early_release(d);
    for (size_t i = 0; i < d->lane_count; i++)
        go_on(d, &d->lanes[i], &gives_back);
    handover_give_back(gives_back);
}

void dispatcher_cancel(struct dispatcher *d, struct message_ref ref)
{
    struct flight *f = flights_find(&d->flights, ref);
    if (f == NULL)
        return;
    f->cancelled = true;
    if (f->phase != FLIGHT_EARLY && f->phase != FLIGHT_AHEAD)
        return;
    const struct claim_row row = claimed_row(f);
    list_remove(&f->node);
    attempt_drop(&f->attempt);
    give_back(d, f, &row, &d->taken_out, reason_against(d, f, row.epoch));
    dispatcher_soon(d);
}

void handover_return_taken_out(struct dispatcher *d)
{
    struct giveback *g = d->taken_out;
    d->taken_out = NULL;
    handover_give_back(g);
}

void handover_on_ahead(uv_timer_t *timer)
{
    struct dispatcher *d = timer->data;
    handover_go_on(d);
    for (size_t i = 0; i < d->lane_count; i++) {
        if (!list_empty(&d->lanes[i].ahead))
            return;
    }
    uv_timer_stop(timer);
}

void handover_drop_ahead(struct dispatcher *d)
{
    for (size_t i = 0; d->taken_out != NULL && i < d->taken_out->count; i++)
        dispatcher_end_flight(d, d->taken_out->flights[i], -1);
    free(d->taken_out);
    d->taken_out = NULL;
    early_release(d);
    for (size_t i = 0; i < d->lane_count; i++) {
        for (struct list *node; (node = list_take_first(&d->lanes[i].ahead)) != NULL;) {
            struct flight *f = container_of(node, struct flight, node);
            attempt_drop(&f->attempt);
            release_slot(d, f);
            dispatcher_end_flight(d, f, -1);
        }
    }
    uv_timer_stop(&d->ahead);
}

/* --- from the claim ----------------------------------------------------------------------------------------------- */

static void begin_or_wait(struct dispatcher *d, struct flight *f, const struct claim_row *row,
                          struct giveback **gives_back)
{
    const struct lane *l = &d->lanes[f->lane];
    int64_t early_us = early_by_us(d, f);
    if (early_us == 0)
        early_over(d, f);
    bool at_once = early_us == 0 && lane_may_begin(l) && list_empty(&l->ahead);
    const char *reason = !lane_pass_holds(l, f->pass, mono_now()) ? not_now
                         : d->draining && !at_once                ? "the worker stops"
                                                                  : NULL;
    if (reason != NULL) {
        attempt_drop(&f->attempt);
        give_back(d, f, row, gives_back, reason);
    } else if (at_once) {
        post(d, f, row, gives_back);
    } else if (early_us > 0) {
        early_hold(d, f, early_us);
    } else {
        handover_wait(d, f);
    }
}

void handover_begin(struct dispatcher *d, struct flight *f, const struct claim_row *row, int64_t asked_us,
                    struct giveback **gives_back)
{
    struct kept_result *rejected = NULL;
    int lane = row->provider != NULL ? registry_find(d->registry, row->provider) : -1;
    if (lane < 0) {
        log_error("provider_unknown", kv("account", row->ref.account_id), kv("message", row->ref.message_id),
                  kv("provider", row->provider));
        record_unposted(d, f, row, OUTCOME_RETRY, "its provider is not in the configuration", NO_PROVIDER_AGAIN_MS);
        return;
    }
    guess_saw(&d->guesses, row->ref.account_id, lane, mono_now());
    f->due = row->due;
    if (!move_slot(d, f, lane)) {
        f->again_ms = lane_queue_ms(&d->lanes[lane], mono_now());
        give_back(d, f, row, gives_back, "its provider has no room");
        return;
    }
    f->asked_us = asked_us;
    f->shard = row->shard;
    const char *reason = reason_against(d, f, row->epoch);
    if (reason != NULL) {
        give_back(d, f, row, gives_back, reason);
        return;
    }
    enum status st = attempt_prepare(&f->attempt, row, registry_at(d->registry, (size_t)lane), d->config.public_url,
                                     on_attempt_end, &rejected);
    if (st == OK) {
        begin_or_wait(d, f, row, gives_back);
        return;
    }
    if (rejected == NULL) {
        f->again_ms = d->config.busy_again_ms;
        give_back(d, f, row, gives_back, status_text(st));
        return;
    }
    /* Posted before, and its lead or template is another now: that POST may have arrived. */
    if (f->settling)
        rejected->result.outcome = OUTCOME_IN_DOUBT;
    log_info("message_rejected", kv("account", row->ref.account_id), kv("message", row->ref.message_id),
             kv("outcome", outcome_label(rejected->result.outcome)), kv("reason", rejected->result.detail));
    release_slot(d, f);
    record(d, f, rejected);
}

/* False: none is left at that provider. */
static bool take_set_aside(struct dispatcher *d, int lane, struct breaker_pass *ret)
{
    for (size_t i = 0; i < d->set_aside_count; i++) {
        if (d->set_aside[i].lane == lane) {
            *ret = d->set_aside[i].pass;
            d->set_aside[i] = d->set_aside[--d->set_aside_count];
            return true;
        }
    }
    return false;
}

/* A message in doubt goes on with a slot that was set aside for it. Without one, or without room in the table, it is left
 * as it is: sweep_sending finds it. */
static void settle_row(struct dispatcher *d, const struct claim_row *row, int64_t asked_us)
{
    struct breaker_pass pass;
    int lane = row->provider != NULL ? registry_find(d->registry, row->provider) : -1;
    if (flights_find(&d->flights, row->ref) != NULL || d->flights.count == d->flights.max ||
        !take_set_aside(d, lane, &pass))
        return;
    struct flight *f = flights_add(&d->flights, row->ref);
    f->dispatcher = d;
    f->settling = true;
    f->lane = lane;
    f->pass = pass;
    handover_begin(d, f, row, asked_us, NULL);
}

void handover_settle(void *dispatcher, const struct claim_row *rows, size_t count, int64_t asked_us)
{
    struct dispatcher *d = dispatcher;
    for (size_t i = 0; i < count; i++)
        settle_row(d, &rows[i], asked_us);
    while (d->set_aside_count > 0) {
        d->set_aside_count--;
        d->slots--;
        lane_unused(&d->lanes[d->set_aside[d->set_aside_count].lane], d->set_aside[d->set_aside_count].pass);
    }
    dispatcher_wake(d);
}
