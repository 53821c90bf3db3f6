#include "followupd/app/app.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "followupd/app/figures.h"
#include "followupd/app/providers.h"
#include "followupd/app/pulse.h"
#include "followupd/app/report.h"
#include "followupd/app/service.h"
#include "followupd/app/webhooks.h"
#include "followupd/base/clock.h"
#include "followupd/base/log.h"
#include "followupd/bulk/bulk.h"
#include "followupd/db/migrate.h"
#include "followupd/dispatch/dispatcher.h"
#include "followupd/front/front.h"
#include "followupd/inbox/inbox.h"
#include "followupd/owner/owner.h"
#include "followupd/owner/worker_lock.h"
#include "followupd/provider/transport.h"
#include "followupd/result/list_pull.h"
#include "followupd/sched/scheduler.h"
#include "followupd/store/shard.h"
#include "followupd/store/store_pg.h"

#define STATUS_FIRST_MS 1000
#define STATUS_MS       10000
#define STATS_EVERY     6     /* status turns: a minute */
#define LATE_US         20480 /* a message that began later after its due time was late (an edge of the histogram) */
#define LATE_PART_MAX   100   /* more than one of so many late: a bulk gives way */
#define CLOCK_OLD_MAX   10    /* clock refreshes missed before the database's connection counts as dead */

enum phase { RUNNING, DRAINING, RELEASING, CLOSING };

struct app {
    uv_loop_t loop;
    uv_timer_t status_timer, drain_timer;
    const char *conf_path;
    struct conf *conf;
    char worker[WORKER_ID_BYTES], host[HOST_NAME_MAX + 1];

    struct registry *registry;
    struct transport *transport;
    struct store *store;
    struct owner *owner;
    struct scheduler *scheduler;
    struct dispatcher *dispatcher;
    struct list_pulls *list_pulls;
    struct service *service;
    struct bulk *bulk;
    struct inbox *inbox;
    struct report *report;
    struct front *front; /* NULL: no HTTP */

    struct pulse pulse;
    struct figures_room figures_room;
    struct wall started;         /* real */
    struct business_clock clock; /* the scheduler's, copied before each hand-over */
    struct message_ref *in_flight;

    enum phase phase;
    bool up, ready, refused;
    unsigned status_turns;
    uint64_t claims_seen;       /* by the last watchdog */
    struct histogram late_seen; /* by the bulk after its last chunk */
};

/* --- down: from the source to the sink ---------------------------------------------------------------------------- */

static void on_part_closed(void *arg)
{
    (void)arg;
}

/* The store is closed: nobody will be called back any more. */
static void on_store_closed(void *arg)
{
    struct app *a = arg;
    scheduler_close(a->scheduler, on_part_closed, a);
    owner_close(a->owner, on_part_closed, a);
    dispatcher_close(a->dispatcher);
    list_pulls_close(a->list_pulls);
    bulk_close(a->bulk);
    inbox_close(a->inbox);
    report_close(a->report);
    service_close(a->service);
    pulse_close(&a->pulse);
    uv_close((uv_handle_t *)&a->status_timer, NULL);
    uv_close((uv_handle_t *)&a->drain_timer, NULL);
}

/* Its POSTs have ended, their results wait in the batch. */
static void on_transport_closed(void *arg)
{
    struct app *a = arg;
    a->store->ops->close(a->store, on_store_closed, a);
}

static void start_closing(struct app *a)
{
    if (a->phase == CLOSING)
        return;
    a->phase = CLOSING;
    uv_timer_stop(&a->status_timer);
    uv_timer_stop(&a->drain_timer);
    front_close(a->front);
    a->front = NULL;
    bulk_drain(a->bulk);
    inbox_drain(a->inbox);
    list_pulls_stop(a->list_pulls);
    dispatcher_abort(a->dispatcher);
    transport_close(a->transport, on_transport_closed, a);
}

static void on_released(void *arg, enum status st)
{
    struct app *a = arg;
    if (st != OK)
        log_warn("leases_not_released", kv("reason", status_text(st)));
    start_closing(a);
}

static void on_drained(void *arg)
{
    struct app *a = arg;
    if (a->phase != DRAINING)
        return;
    a->phase = RELEASING;
    log_info("drained");
    owner_release(a->owner, on_released, a);
}

static void on_drain_over(uv_timer_t *timer)
{
    struct app *a = timer->data;
    log_warn("drain_over", kv("after_ms", a->conf->drain_ms));
    start_closing(a);
}

static void app_stop(void *arg, bool now)
{
    struct app *a = arg;
    service_stopping(a->service);
    log_info("stopping", kv("at_once", now), kv("database_up", a->up));
    if (now) {
        start_closing(a);
        return;
    }
    if (a->phase != RUNNING)
        return;
    a->phase = DRAINING;
    uv_timer_start(&a->drain_timer, on_drain_over, (uint64_t)a->conf->drain_ms, 0);
    bulk_drain(a->bulk);
    inbox_drain(a->inbox);
    list_pulls_stop(a->list_pulls);
    owner_drain(a->owner);
    dispatcher_drain(a->dispatcher, on_drained, a);
}

/* --- the database ------------------------------------------------------------------------------------------------- */

static void on_up(void *arg)
{
    struct app *a = arg;
    a->up = true;
    log_info("database_up");
    owner_up(a->owner);
    if (a->phase == RUNNING)
        scheduler_up(a->scheduler);
    dispatcher_wake(a->dispatcher);
    if (!a->ready) {
        a->ready = true;
        log_info("followupd_ready", kv("worker", a->worker), kv("host", a->host), kv("version", FOLLOWUPD_VERSION));
        service_ready(a->service, "running");
    }
}

/* A drain goes on: what has left is recorded if the database comes back in time. */
static void on_down(void *arg, const struct err *e)
{
    struct app *a = arg;
    a->up = false;
    log_warn("database_down", kv("reason", e->text));
    owner_down(a->owner);
    scheduler_down(a->scheduler);
    if (a->phase == RUNNING)
        service_status(a->service, "waiting for the database");
}

static void on_refused(void *arg, enum status st, const struct err *e)
{
    struct app *a = arg;
    log_error("database_refused", kv("status", status_text(st)), kv("reason", e->text));
    a->refused = true;
    start_closing(a);
}

static void on_notify(void *arg, const char *payload)
{
    struct app *a = arg;
    if (strcmp(payload, OWNER_NOTICE) == 0)
        owner_look(a->owner);
    else
        scheduler_notify(a->scheduler, payload);
}

/* --- leases ------------------------------------------------------------------------------------------------------- */

static void on_leases(void *arg)
{
    struct app *a = arg;
    struct lease_set held = owner_held(a->owner);
    log_info("leases_changed", kv("shards", held.count));
    scheduler_leases(a->scheduler, held);
    dispatcher_wake(a->dispatcher);
}

static void on_leases_lost(void *arg, const int *shards, size_t count)
{
    (void)arg;
    (void)shards;
    log_warn("leases_lost", kv("shards", count));
}

static bool shard_in_flight(void *arg, int shard)
{
    struct app *a = arg;
    size_t count = dispatcher_list_in_flight(a->dispatcher, a->in_flight, dispatcher_in_flight_max(a->dispatcher));
    for (size_t i = 0; i < count; i++) {
        if (shard_of(a->in_flight[i].account_id) == shard)
            return true;
    }
    return false;
}

static struct lease_set valid_leases(void *arg)
{
    struct app *a = arg;
    return owner_valid(a->owner, mono_now());
}

static struct lease_set held_leases(void *arg)
{
    struct app *a = arg;
    return owner_held(a->owner);
}

static bool others_late(void *arg)
{
    struct app *a = arg;
    struct dispatcher_stats stats;
    struct histogram since;
    dispatcher_read_stats(a->dispatcher, &stats);
    histogram_since(&stats.late, &a->late_seen, &since);
    a->late_seen = stats.late;
    return histogram_between(&since, LATE_US, UINT64_MAX) > since.count / LATE_PART_MAX;
}

static bool may_send(void *arg, int shard, int64_t epoch)
{
    struct app *a = arg;
    return owner_may_send(a->owner, shard, epoch, mono_now());
}

/* --- scheduler and dispatcher ------------------------------------------------------------------------------------- */

static size_t on_due(void *arg, const struct due_message *due, size_t count)
{
    struct app *a = arg;
    if (a->phase != RUNNING || !scheduler_clock(a->scheduler, &a->clock))
        return 0;
    return dispatcher_offer(a->dispatcher, due, count);
}

static bool in_flight(void *arg, struct message_ref ref)
{
    struct app *a = arg;
    return dispatcher_in_flight(a->dispatcher, ref);
}

static void cancel(void *arg, struct message_ref ref)
{
    struct app *a = arg;
    dispatcher_cancel(a->dispatcher, ref);
}

static const struct message_ref *in_flight_list(void *arg, size_t *ret_count)
{
    struct app *a = arg;
    *ret_count = dispatcher_list_in_flight(a->dispatcher, a->in_flight, dispatcher_in_flight_max(a->dispatcher));
    return a->in_flight;
}

static void set_due(void *arg, struct due_message due)
{
    struct app *a = arg;
    scheduler_set(a->scheduler, due.ref, due.due);
}

static void put_off(void *arg, struct due_message due)
{
    struct app *a = arg;
    scheduler_put_off(a->scheduler, due.ref, due.due);
}

static void reloaded(void *arg)
{
    struct app *a = arg;
    dispatcher_reloaded(a->dispatcher);
}

static void on_room(void *arg)
{
    struct app *a = arg;
    scheduler_pull(a->scheduler);
}

/* --- what people see ---------------------------------------------------------------------------------------------- */

static void read_figures(void *arg, struct figures *ret)
{
    struct app *a = arg;
    const struct figures_parts parts = {
        .owner = a->owner,
        .scheduler = a->scheduler,
        .dispatcher = a->dispatcher,
        .bulk = a->bulk,
        .inbox = a->inbox,
        .front = a->front,
        .pulse = &a->pulse,
        .started = a->started,
        .database_up = a->up,
        .draining = a->phase != RUNNING,
    };
    figures_read(&parts, &a->figures_room, ret);
    ret->reply_alerts = report_reply_alerts(a->report);
}

static void log_stats(const struct scheduler_counts *c, const struct dispatcher_stats *d)
{
    log_info("engine_stats", kv("pending", c->live), kv("ready", c->ready), kv("in_flight", d->in_flight),
             kv("sent", d->outcomes[OUTCOME_SENT]), kv("rejected", d->outcomes[OUTCOME_REJECTED]),
             kv("retry", d->outcomes[OUTCOME_RETRY]), kv("in_doubt", d->outcomes[OUTCOME_IN_DOUBT]),
             kv("swept", c->swept_total), kv("late_p50_ms", (double)histogram_percentile(&d->late, 0.50) / 1000),
             kv("late_p99_ms", (double)histogram_percentile(&d->late, 0.99) / 1000));
}

static void on_status(uv_timer_t *timer)
{
    struct app *a = timer->data;
    struct scheduler_counts counts;
    struct dispatcher_stats stats;
    char line[160];
    if (!a->ready)
        service_waiting(a->service, "waiting for the database", 3 * STATUS_MS);
    if (!a->up || a->phase != RUNNING)
        return;
    dispatcher_read_stats(a->dispatcher, &stats);
    scheduler_count(a->scheduler, &counts);
    snprintf(line, sizeof line, "%zu pending, %zu in flight, %llu sent", counts.live, stats.in_flight,
             (unsigned long long)stats.outcomes[OUTCOME_SENT]);
    service_status(a->service, line);
    if (++a->status_turns % STATS_EVERY == 0)
        log_stats(&counts, &stats);
}

/* Something is due and would be taken, and since the last time no claim was asked. */
static bool claims_stand_still(struct app *a)
{
    struct scheduler_counts counts;
    struct dispatcher_stats stats;
    dispatcher_read_stats(a->dispatcher, &stats);
    scheduler_count(a->scheduler, &counts);
    bool moved = stats.claims != a->claims_seen;
    a->claims_seen = stats.claims;
    return !moved && counts.ready > 0 && stats.slots == 0 && dispatcher_has_room(a->dispatcher);
}

/* For the watchdog: the loop runs, or we would not be asked; the database answers, or we know that it is away; and what
 * is due is claimed. */
static bool is_alive(void *arg)
{
    struct app *a = arg;
    if (!a->up || a->phase != RUNNING)
        return true;
    if (scheduler_clock(a->scheduler, &a->clock)) {
        int64_t old_ms = (mono_now_us() - a->clock.mono_us) / 1000;
        if (old_ms > CLOCK_OLD_MAX * a->conf->clock_refresh_ms + a->conf->statement_timeout_ms)
            return false;
    }
    return !claims_stand_still(a);
}

static void app_reload(void *arg)
{
    struct app *a = arg;
    struct conf *fresh = NULL;
    struct registry *providers = NULL;
    struct sources *sources = NULL;
    struct err e = { "" };
    /* Else it has not been said yet, or is not true any more, and a reload is no reason to say it. */
    bool told = a->ready && a->phase == RUNNING;
    if (told)
        service_reloading(a->service);
    enum status st = conf_load(a->conf_path, &fresh, &e);
    if (st == OK)
        st = conf_may_reload(a->conf, fresh, &e);
    if (st == OK)
        st = providers_open(a->conf_path, fresh, &providers, &e); /* reads the keys: they may have been rotated */
    if (st == OK)
        st = webhooks_sources(a->conf_path, fresh, &sources, &e);
    if (st == OK) {
        conf_adopt(a->conf, fresh);
        log_level_set((enum log_level)a->conf->log_level);
        registry_adopt(a->registry, providers);
        dispatcher_limits_changed(a->dispatcher);
        if (a->front != NULL) {
            front_set_sources(a->front, sources);
            sources = NULL;
        }
        log_info("configuration_reloaded", kv("file", a->conf_path));
    } else {
        log_error("configuration_kept", kv("reason", e.text));
    }
    registry_free(providers);
    sources_unref(sources);
    conf_free(fresh);
    if (told)
        service_ready(a->service, st == OK ? "running" : "running with the configuration of before; see the log");
}

/* --- up: in the order of the flow --------------------------------------------------------------------------------- */

static enum status open_store(struct app *a, struct err *e)
{
    const struct conf *c = a->conf;
    struct store_pg_config config = {
        .conninfo = c->conninfo != NULL ? c->conninfo : "",
        .worker = a->worker,
        .host = c->worker != NULL ? c->worker : a->host,
        .default_provider = c->provider,
        .schema_version = migrate_version(),
        .listen = c->notify,
        .statement_timeout_ms = c->statement_timeout_ms,
        .reconnect_min_ms = c->reconnect_min_ms,
        .reconnect_max_ms = c->reconnect_max_ms,
    };
    struct store_events events = { a, on_up, on_down, on_refused, on_notify };
    return store_pg_open(&a->loop, &config, &events, &a->store, e);
}

static enum status open_owner(struct app *a, struct err *e)
{
    const struct conf *c = a->conf;
    struct owner_config config = {
        .state_dir = c->state_dir != NULL ? c->state_dir : getenv("STATE_DIRECTORY"),
        .worker = a->worker,
        .ttl_ms = c->lease_ms,
        .margin_ms = c->lease_margin_ms,
    };
    struct owner_events events = { a, on_leases, on_leases_lost, shard_in_flight };
    return owner_open(&a->loop, a->store, &config, &events, &a->owner, e);
}

static enum status open_scheduler(struct app *a, struct err *e)
{
    const struct conf *c = a->conf;
    struct scheduler_config config = {
        .horizon_ms = c->horizon_ms,
        .sweep_ms = c->sweep_ms,
        .sweep_older_ms = c->sweep_old_ms,
        .sending_grace_ms = c->sending_grace_ms,
        .clock_ms = c->clock_refresh_ms,
        .rows_max = (size_t)c->wheel_rows_max,
    };
    struct scheduler_consumer consumer = { a, on_due, in_flight, cancel, in_flight_list, reloaded };
    return scheduler_open(&a->loop, a->store, &config, &consumer, &a->scheduler, e);
}

static enum status open_dispatcher(struct app *a, struct err *e)
{
    const struct conf *c = a->conf;
    struct dispatcher_config config = DISPATCHER_CONFIG_DEFAULTS;
    config.in_flight_max = (size_t)c->in_flight_max;
    config.batch_rows = (size_t)c->batch_rows;
    config.batch_wait_ms = c->batch_wait_ms;
    config.begin_within_ms = c->begin_within_ms;
    config.busy_again_ms = c->busy_again_ms;
    config.settle_every_ms = c->settle_interval_ms;
    config.settle_after_ms = c->settle_after_ms;
    config.policy_after_ms = c->policy_after_ms;
    config.default_provider = c->provider;
    config.public_url = c->public_url;
    struct dispatcher_hooks hooks = { a, valid_leases, held_leases, may_send, set_due, put_off, on_room };
    enum status st =
        dispatcher_new(&a->loop, a->store, a->transport, a->registry, &a->clock, &config, &hooks, &a->dispatcher, e);
    if (st != OK)
        return st;
    a->in_flight = calloc(dispatcher_in_flight_max(a->dispatcher), sizeof *a->in_flight);
    return a->in_flight != NULL ? OK : err_set(e, E_NOMEM, "out of memory");
}

/* Last, so that whoever is let in finds everything there. The default address is a convenience: that another worker of
 * this host has it is no reason not to send. */
static enum status open_front(struct app *a, struct err *e)
{
    const struct conf *c = a->conf;
    char address[64];
    struct server_config config = {
        .address = c->listen,
        .connections_max = (size_t)c->http_connections_max,
        .address_connections_max = (size_t)c->http_address_connections_max,
        .bodies_bytes_max = (size_t)c->bodies_bytes_max,
        .header_timeout_ms = c->header_timeout_ms,
        .body_timeout_ms = c->body_timeout_ms,
        .answer_timeout_ms = c->answer_timeout_ms,
        .idle_timeout_ms = c->idle_timeout_ms,
    };
    struct front_hooks hooks = { a, read_figures };
    struct front_parts parts = { a->store, a->inbox, a->transport };
    struct sources *sources = NULL;
    enum status st =
        webhooks_sources(a->conf_path, c, &sources, e); /* what is wrong with them is told without HTTP too */
    if (st == OK && c->listen != NULL)
        st = front_open(&a->loop, &config, &hooks, &parts, &a->front, e);
    if (a->front == NULL)
        sources_unref(sources);
    if (st == OK && a->front != NULL) {
        front_set_sources(a->front, sources);
        front_address(a->front, address, sizeof address);
        log_info("http_listening", kv("address", (const char *)address));
    } else if (st == E_BUSY && !c->listen_asked) {
        log_warn("http_not_listening", kv("reason", e->text));
        st = OK;
    }
    return st;
}

/* Messages, look-ups, a page of a list and the next one, and what webhooks ask: none takes the place of another. */
static size_t transport_places(const struct conf *c)
{
    return (size_t)c->in_flight_max + LOOK_UP_ROWS_MAX + 2 + FRONT_CERTIFICATES_MAX + FRONT_QUESTIONS_MAX;
}

static enum status open_all(struct app *a, struct err *e)
{
    struct service_events events = { a, app_stop, app_reload, is_alive };
    enum status st = worker_id_new(a->worker, e);
    if (st == OK)
        st = providers_open(a->conf_path, a->conf, &a->registry, e);
    if (st == OK)
        st = service_open(&a->loop, &events, &a->service, e);
    if (st == OK)
        st = transport_open(&a->loop, transport_places(a->conf), &a->transport, e);
    if (st == OK)
        st = open_store(a, e);
    if (st == OK)
        st = open_owner(a, e);
    if (st == OK)
        st = open_scheduler(a, e);
    if (st == OK)
        st = open_dispatcher(a, e);
    const struct list_pull_config lists = { a->conf->settle_interval_ms, LIST_PULL_PAGES_MAX, LIST_PULL_MS_MAX };
    if (st == OK)
        st = list_pulls_open(&a->loop, a->store, a->transport, a->registry, &lists, valid_leases, a, &a->list_pulls, e);
    struct bulk_hooks bulk_hooks = { a, valid_leases, others_late };
    if (st == OK)
        st = bulk_open(&a->loop, a->store, a->conf->bulk_interval_ms, &bulk_hooks, &a->bulk, e);
    if (st == OK)
        st = inbox_open(&a->loop, a->store, a->conf->inbox_interval_ms, &a->inbox, e);
    if (st == OK)
        st = report_open(&a->loop, a->store, read_figures, a, &a->report, e);
    if (st == OK)
        st = open_front(a, e);
    return st;
}

int app_run(const char *conf_path, struct conf *conf)
{
    struct app *a = calloc(1, sizeof *a);
    struct err e = { "" };
    if (a == NULL || uv_loop_init(&a->loop) != 0) {
        log_error("start_failed", kv("reason", "out of memory"));
        return EXIT_FAILURE;
    }
    a->conf_path = conf_path;
    a->conf = conf;
    a->started = wall_now();
    pulse_open(&a->loop, &a->pulse);
    gethostname(a->host, sizeof a->host - 1);
    uv_timer_init(&a->loop, &a->status_timer);
    uv_timer_init(&a->loop, &a->drain_timer);
    a->status_timer.data = a->drain_timer.data = a;
    enum status st = open_all(a, &e);
    if (st != OK) { /* what was opened goes with the process: nothing has been claimed or sent */
        log_error("start_failed", kv("reason", e.text));
        _exit(EXIT_FAILURE);
    }
    uv_timer_start(&a->status_timer, on_status, STATUS_FIRST_MS, STATUS_MS);
    uv_run(&a->loop, UV_RUN_DEFAULT);

    int status = a->refused ? EXIT_FAILURE : EXIT_SUCCESS;
    log_info("followupd_stopped", kv("status", status));
    uv_loop_close(&a->loop);
    registry_free(a->registry);
    conf_free(a->conf);
    free(a->in_flight);
    free(a);
    return status;
}
