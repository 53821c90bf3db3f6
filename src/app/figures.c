#include "followupd/app/figures.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "followupd/base/clock.h"

_Static_assert(FIGURES_VERDICTS == CLAIM_NOT_OURS + 1, "a figure for each verdict");
_Static_assert(FIGURES_BREAKERS == BREAKER_HALF_OPEN + 1, "a figure for each state");
_Static_assert(FIGURES_PROVIDERS_MAX == REGISTRY_PROVIDERS_MAX, "room for each provider");

static double seconds_of_ms(int64_t ms)
{
    return ms < 0 ? NAN : (double)ms / 1e3;
}

static double seconds_of_us(uint64_t us)
{
    return (double)us / 1e6;
}

static void read_owner(struct owner *owner, struct figures *ret)
{
    struct mono now = mono_now();
    ret->shards_held = (double)owner_held(owner).count;
    ret->shards_valid = (double)owner_valid(owner, now).count;
    ret->lease_left_s = seconds_of_ms(owner_valid_ms(owner, now));
}

static void read_scheduler(const struct scheduler *scheduler, struct figures *ret)
{
    struct scheduler_counts c;
    scheduler_count(scheduler, &c);
    ret->wheel_messages = (double)c.wheel.live;
    ret->wheel_stale = (double)c.wheel.stale;
    ret->wheel_bytes = (double)c.wheel.bytes;
    ret->wheel_pause_s = seconds_of_us(c.pause_max_us);
    ret->wheel_pause_recent_s = seconds_of_us(c.pause_recent_us);
    ret->due_waiting = (double)c.ready;
    ret->due_total = (double)c.due_total;
    ret->loaded = c.complete;
    ret->loads = (double)c.load.loads;
    ret->load_failures = (double)c.load.failures;
    ret->load_last_rows = c.load.loads > 0 ? (double)c.load.last_rows : NAN;
    ret->load_last_s = c.load.loads > 0 ? seconds_of_us((uint64_t)c.load.last_us) : NAN;
    ret->horizon_s = seconds_of_ms(c.horizon_ms);
    ret->swept = (double)c.swept_total;
    ret->notifications = (double)c.notified_total;
    ret->notify_age_s = seconds_of_ms(c.notify_age_ms);
}

static void read_provider(const struct dispatcher_provider_stats *p, struct provider_figures *ret)
{
    *ret = (struct provider_figures){
        .name = p->name,
        .breaker_wait_s = seconds_of_ms(p->breaker_wait_ms),
        .in_flight = (double)p->posts,
        .window = (double)p->window,
        .key_window_s = seconds_of_ms(p->key_window_ms),
        .looks_up = p->looks_up,
        .look_up_proof_s = seconds_of_ms(p->look_up_proof_ms),
    };
    ret->breaker[p->breaker] = 1;
}

static void read_dispatcher(const struct dispatcher *dispatcher, struct dispatcher_stats *d, struct figures *ret)
{
    dispatcher_read_stats(dispatcher, d);
    ret->lateness = &d->late;
    ret->claim = &d->claim;
    ret->send = &d->latency;
    ret->record = &d->batch.round_trip;
    for (size_t i = 0; i <= OUTCOME_IN_DOUBT; i++)
        ret->outcomes[i] = (double)d->outcomes[i];
    for (size_t i = 0; i < FIGURES_VERDICTS; i++)
        ret->verdicts[i] = (double)d->verdicts[i];
    ret->claims = (double)d->claims;
    ret->claim_failures = (double)d->claim_failures;
    ret->given_back = (double)d->given_back;
    ret->in_flight = (double)d->slots;
    ret->results_waiting = (double)d->waiting;
    ret->recorded = (double)d->batch.recorded;
    ret->record_busy = (double)d->batch.busy;
    ret->record_failures = (double)d->batch.failures;
    ret->settle_after_s = seconds_of_ms(d->settle_after_ms);
    ret->settle_claimed = (double)d->settle.claimed;
    ret->settled_by_policy = (double)d->settle.by_policy;
    ret->looked_up = (double)d->look_ups.asked;
    ret->looked_up_found = (double)d->look_ups.found;
    ret->looked_up_absent = (double)d->look_ups.absent;
    ret->provider_count = dispatcher_providers(dispatcher);
    for (size_t i = 0; i < ret->provider_count; i++) {
        struct dispatcher_provider_stats p = dispatcher_provider_at(dispatcher, i);
        read_provider(&p, &ret->providers[i]);
    }
}

static void read_front(const struct front *front, struct figures *ret)
{
    const struct server_stats *s = front_stats(front);
    ret->http_connections = (double)s->connections;
    ret->http_late = (double)s->late;
    ret->http_evicted = (double)s->evicted;
    for (size_t i = 0; i < FIGURES_CLASSES; i++)
        ret->http_answers[i] = (double)s->answers[i];
    ret->http_bodies_bytes = (double)s->bodies_bytes;
    const struct webhook_stats *w = front_webhook_stats(front);
    ret->webhooks_accepted = (double)w->accepted;
    ret->webhooks_unauthentic = (double)w->unauthentic;
    ret->webhooks_malformed = (double)w->malformed;
    ret->webhooks_put_off = (double)w->put_off;
}

static void read_inbox(const struct inbox *inbox, struct figures *ret)
{
    const struct inbox_stats *s = inbox_stats(inbox);
    ret->inbox = &s->round_trip;
    ret->inbox_waiting = (double)s->waiting;
    ret->inbox_fresh = (double)s->fresh;
    ret->inbox_applied = (double)s->applied;
    ret->inbox_unmatched = (double)s->unmatched;
    ret->inbox_failed = (double)s->failed;
    ret->inbox_behind = s->behind;
}

static double count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    double count = -3; /* ".", ".." and the one we look through */
    if (folder == NULL)
        return NAN;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void read_memory(struct figures *ret)
{
    unsigned long long pages = 0, resident_pages = 0;
    double page_bytes = (double)sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/statm", "re");
    bool read = file != NULL && fscanf(file, "%llu %llu", &pages, &resident_pages) == 2;
    ret->virtual_bytes = read ? (double)pages * page_bytes : NAN;
    ret->resident_bytes = read ? (double)resident_pages * page_bytes : NAN;
    if (file != NULL)
        fclose(file);
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void read_process(const struct figures_parts *parts, struct figures *ret)
{
    struct rusage usage;
    struct rlimit limit;
    ret->cpu_s = getrusage(RUSAGE_SELF, &usage) == 0 ? seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime) : NAN;
    ret->fds_max = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (double)limit.rlim_cur : NAN;
    ret->fds_open = count_descriptors();
    ret->start_time_s = (double)parts->started.us / 1e6;
    read_memory(ret);
    ret->turn = &parts->pulse->turns;
    ret->turn_max_s = seconds_of_us(parts->pulse->longest.ever);
    ret->turn_recent_s = seconds_of_us(peak_recent(&parts->pulse->longest, mono_now().ms));
}

void figures_read(const struct figures_parts *parts, struct figures_room *room, struct figures *ret)
{
    struct bulk_stats bulk = bulk_stats(parts->bulk);
    *ret = (struct figures){ .database_up = parts->database_up, .draining = parts->draining };
    read_owner(parts->owner, ret);
    read_scheduler(parts->scheduler, ret);
    read_dispatcher(parts->dispatcher, &room->dispatcher, ret);
    ret->bulk_working = bulk.working;
    ret->bulk_chunks = (double)bulk.chunks;
    read_inbox(parts->inbox, ret);
    if (parts->front != NULL)
        read_front(parts->front, ret);
    read_process(parts, ret);
}
