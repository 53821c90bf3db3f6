#include "followupd/sched/sweep.h"

#include <string.h>

#include "followupd/base/log.h"

static enum status next_page(struct sweep *s);

void sweep_init(struct sweep *s, struct store *store)
{
    *s = (struct sweep){ .store = store };
}

void sweep_leases(struct sweep *s, struct lease_set leases)
{
    memcpy(s->leases, leases.leases, leases.count * sizeof *leases.leases);
    s->lease_count = leases.count;
    s->recent.after = s->older.after = (struct due_message){ 0 };
    s->sending_at = (struct mono){ 0 };
}

/* --- due -------------------------------------------------------------------------------------------------------- */

static void on_page(void *arg, enum status st, const struct err *e, const struct due_message *rows, size_t count)
{
    struct sweep *s = arg;
    struct sweep_run *run = s->running;
    s->running = NULL;
    if (st != OK) {
        run->after = (struct due_message){ 0 };
        if (st != E_GONE && st != E_CANCELLED)
            log_warn("sweep_failed", kv("error", e->text));
        return;
    }
    for (size_t i = 0; i < count; i++)
        s->on_row(s->arg, &rows[i]);
    if (count < STORE_BATCH_MAX) {
        run->after = (struct due_message){ 0 };
        return;
    }
    run->after = rows[count - 1];
    if (--s->pages_left == 0)
        return;
    s->running = run;
    if (next_page(s) != OK)
        s->running = NULL;
}

static enum status next_page(struct sweep *s)
{
    struct sweep_request r = { .leases = { s->leases, s->lease_count },
                               .from = s->running->from,
                               .until = s->running->until,
                               .after = s->running->after,
                               .count_max = STORE_BATCH_MAX };
    return s->store->ops->sweep_due(s->store, &r, on_page, s);
}

/* A run that stopped at its bound keeps its place: pages are in order of shards first, so it stays good while the
 * interval moves on. */
static enum status run(struct sweep *s, struct sweep_run *r, struct wall from, struct wall until)
{
    if (s->running != NULL)
        return E_BUSY;
    if (s->lease_count == 0)
        return OK;
    r->from = from;
    r->until = until;
    s->running = r;
    s->pages_left = SWEEP_PAGES_MAX;
    enum status st = next_page(s);
    if (st != OK)
        s->running = NULL;
    return st;
}

enum status sweep_recent(struct sweep *s, struct wall from, struct wall until)
{
    return run(s, &s->recent, from, until);
}

enum status sweep_older(struct sweep *s, struct wall until)
{
    return run(s, &s->older, (struct wall){ INT64_MIN }, until);
}

/* --- sending ---------------------------------------------------------------------------------------------------- */

static void fail_sending(struct sweep *s, enum status st, const char *why)
{
    s->sending = false;
    if (st != E_GONE && st != E_CANCELLED)
        log_warn("sweep_sending_failed", kv("error", why));
}

static void on_sending(void *arg, enum status st, const struct err *e, const struct due_message *rows, size_t count)
{
    struct sweep *s = arg;
    if (st != OK) {
        fail_sending(s, st, e->text);
        return;
    }
    s->sending = false;
    struct mono now = mono_now();
    int64_t rest_ms = (now.ms - s->sending_asked.ms) * SWEEP_SENDING_REST;
    s->sending_at = mono_add(now, rest_ms < SWEEP_SENDING_REST_MS_MAX ? rest_ms : SWEEP_SENDING_REST_MS_MAX);
    for (size_t i = 0; i < count; i++)
        s->on_row(s->arg, &rows[i]);
    if (count > 0)
        log_info("lost_claims_found", kv("messages", count));
}

static void on_mark(void *arg, enum status st, const struct err *e, int64_t mark)
{
    struct sweep *s = arg;
    if (st != OK) {
        fail_sending(s, st, e->text);
        return;
    }
    struct sending_request r = { .mark = mark, .grace_ms = s->grace_ms };
    r.in_flight = s->in_flight_list(s->arg, &r.in_flight_count);
    s->sending_asked = mono_now();
    struct lease_set leases = { s->leases, s->lease_count };
    st = s->store->ops->sweep_sending(s->store, leases, &r, on_sending, s);
    if (st != OK)
        fail_sending(s, st, status_text(st));
}

enum status sweep_sending(struct sweep *s, int64_t grace_ms)
{
    if (s->sending)
        return E_BUSY;
    if (s->lease_count == 0 || !mono_reached(s->sending_at, mono_now()))
        return OK;
    s->grace_ms = grace_ms;
    enum status st = s->store->ops->claim_mark(s->store, on_mark, s);
    s->sending = st == OK;
    return st;
}
