#include "model_store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "journal.h"

#define TRIP_US_MIN  100
#define TRIP_US_MAX  3000
#define ROWS_A_PIECE 64         /* of a COPY */
#define CUT_US_MAX   (500 * MS) /* until a worker hears that a connection broke */

/* As store_pg has them: what is asked on one connection is done and answered in order. */
enum connection { CONTROL, CLAIMS, RESULTS, LOAD, CONNECTIONS };

enum kind {
    CLAIM,
    CLAIM_IN_DOUBT,
    UNCLAIM,
    RECORD,
    ACQUIRE,
    RENEW,
    RELEASE,
    BEAT,
    CLOCK,
    LOAD_ROWS,
    SWEEP_DUE,
    CLAIM_MARK,
    SWEEP_SENDING,
    SETTLE,
    CLAIM_LOOK_UPS,
    SETTLE_LOOKED_UP
};

static const char *const kind_names[] = {
    "claim",          "claim_in_doubt", "unclaim",        "record",
    "acquire_leases", "renew",          "release",        "beat",
    "clock",          "load",           "sweep_due",      "claim_mark",
    "sweep_sending",  "settle",         "claim_look_ups", "settle_looked_up",
};

struct model_store {
    struct store base;
    struct model *model;
    struct host *host;
    int worker;
    const struct faults *faults;
    struct store_events events;
    bool up, dead, closing;
    uint64_t session; /* rises when the connections break: what was asked before is gone */
    int64_t free_at[CONNECTIONS], answered_at[CONNECTIONS], notified_at;
    struct request *under_way;
    bool one_load, one_due, one_sending;
    unsigned events_pending; /* that hold a pointer to us */
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};

struct request {
    struct model_store *s;
    struct request *next, **at; /* among those under way */
    enum kind kind;
    uint64_t session;
    bool done, over; /* in the database; called back already */
    void (*cb)(void);
    void *arg;
    store_done_cb on_done; /* of a load */
    /* what was asked, copied */
    struct shard_lease leases[STORE_SHARDS];
    size_t lease_count;
    struct message_ref *refs;
    struct send_result *results;
    struct looked_up *looked_up;
    size_t count;
    int former;
    int64_t number, number2;
    bool flag;
    int64_t key_window_ms;
    int places;
    bool has_provider;
    int shards[STORE_SHARDS];
    size_t shard_count;
    struct load_request load;
    struct sweep_request sweep;
    /* the answer */
    void *rows;
    size_t row_count, row_at;
    struct wall business;
    int64_t asked_us;
};

void worker_name(int worker, char ret[37])
{
    snprintf(ret, 37, "00000000-0000-4000-8000-%012d", worker);
}

int worker_number(const char *name)
{
    return name != NULL ? atoi(name + 24) : 0;
}

static struct model_store *of(const struct store *base)
{
    return container_of((struct store *)base, struct model_store, base);
}

/* --- the end of a request ---------------------------------------------------------------------------------------------- */

static void store_free_if_done(struct model_store *s)
{
    if (!s->closing || s->events_pending > 0 || s->under_way != NULL)
        return;
    void (*on_closed)(void *) = s->on_closed;
    void *arg = s->on_closed_arg;
    free(s);
    on_closed(arg);
}

static void request_free(struct request *r)
{
    free(r->refs);
    free(r->results);
    free(r->looked_up);
    free(r->rows);
    free(r);
}

static void call_back(struct request *r, enum status st)
{
    static const struct err gone = { "the connection broke" };
    const struct err *e = st == OK ? NULL : &gone;
    struct model_store *s = r->s;
    size_t n = st == OK ? r->row_count : 0;
    r->over = true;
    *r->at = r->next;
    if (r->next != NULL)
        r->next->at = r->at;
    s->one_load &= r->kind != LOAD_ROWS;
    s->one_due &= r->kind != SWEEP_DUE;
    s->one_sending &= r->kind != SWEEP_SENDING;
    switch (r->kind) {
    case CLAIM:
    case CLAIM_IN_DOUBT:
        ((store_claim_cb)r->cb)(r->arg, st, e, r->rows, n);
        break;
    case RECORD:
        ((store_record_cb)r->cb)(r->arg, st, e, r->rows, n);
        break;
    case ACQUIRE:
    case RENEW:
        ((store_lease_cb)r->cb)(r->arg, st, e, r->rows, n);
        break;
    case RELEASE:
    case BEAT:
        ((store_done_cb)r->cb)(r->arg, st, e);
        break;
    case CLOCK:
        ((store_clock_cb)r->cb)(r->arg, st, e, r->business, 1, r->asked_us, SECOND + sim_now());
        break;
    case LOAD_ROWS:
        r->on_done(r->arg, st, e);
        break;
    case CLAIM_LOOK_UPS:
        ((store_look_up_cb)r->cb)(r->arg, st, e, r->rows, n);
        break;
    case CLAIM_MARK:
        ((store_number_cb)r->cb)(r->arg, st, e, r->number);
        break;
    case UNCLAIM:
    case SWEEP_DUE:
    case SWEEP_SENDING:
    case SETTLE:
    case SETTLE_LOOKED_UP:
        ((store_due_cb)r->cb)(r->arg, st, e, r->rows, n);
        break;
    }
}

static void fail_all(struct model_store *s, enum status st)
{
    while (s->under_way != NULL)
        call_back(s->under_way, st); /* its event frees it */
}

/* --- the database does it ------------------------------------------------------------------------------------------------ */

static void *room(size_t count, size_t bytes)
{
    void *rows = calloc(count + 1, bytes);
    assert(rows != NULL);
    return rows;
}

static void execute(struct request *r)
{
    struct model_store *s = r->s;
    struct model *m = s->model;
    struct lease_set leases = { r->leases, r->lease_count };
    struct due_message *due = NULL;
    switch (r->kind) {
    case CLAIM:
        r->rows = room(r->count, sizeof(struct claim_row));
        model_claim(m, s->worker, leases, r->refs, r->count, r->rows);
        r->row_count = r->count;
        break;
    case CLAIM_IN_DOUBT: {
        struct in_doubt_request ask = { .leases = leases,
                                        .key_window_ms = &r->key_window_ms,
                                        .places = &r->places,
                                        .provider_count = r->has_provider,
                                        .settle_after_ms = r->number };
        r->rows = room(r->count, sizeof(struct claim_row));
        r->row_count = model_claim_in_doubt(m, s->worker, &ask, r->rows);
        break;
    }
    case RECORD:
        r->rows = room(r->count, sizeof(struct recorded_row));
        r->row_count = model_record(m, s->worker, leases, r->results, r->count, r->rows);
        break;
    case ACQUIRE:
        r->rows = room(STORE_SHARDS, sizeof(struct shard_lease));
        r->row_count = model_lease_acquire(m, s->worker, r->former, r->number, r->rows);
        break;
    case RENEW:
        r->rows = room(STORE_SHARDS, sizeof(struct shard_lease));
        r->row_count = model_lease_renew(m, s->worker, leases, r->number, r->rows);
        break;
    case RELEASE:
        model_lease_release(m, s->worker, leases);
        break;
    case BEAT:
        model_beat(m, s->worker, r->flag);
        break;
    case CLOCK:
        r->business.us = model_now(m);
        break;
    case UNCLAIM:
        r->rows = due = room(r->count, sizeof *due);
        r->row_count = model_unclaim(m, s->worker, r->results, r->count, due);
        break;
    case LOAD_ROWS:
        r->load.shards = r->shards;
        r->load.shard_count = r->shard_count;
        r->rows = due = room(m->message_count, sizeof *due);
        r->row_count = model_load(m, &r->load, due);
        break;
    case SWEEP_DUE:
        r->sweep.leases = leases;
        r->rows = due = room(m->message_count, sizeof *due);
        r->row_count = model_sweep_due(m, &r->sweep, due);
        break;
    case CLAIM_MARK:
        r->number = m->order_seq;
        break;
    case SWEEP_SENDING:
        r->rows = due = room(m->message_count, sizeof *due);
        r->row_count = model_sweep_sending(m, s->worker, leases, r->refs, r->count, r->number, r->number2, due);
        break;
    case SETTLE:
        r->rows = due = room(m->message_count, sizeof *due);
        r->row_count = model_settle_by_policy(m, s->worker, leases, r->number, r->count, due);
        break;
    case CLAIM_LOOK_UPS: {
        struct look_up_request ask = {
            .leases = leases, .provider_count = r->has_provider, .settle_after_ms = r->number, .count_max = r->count
        };
        r->rows = room(r->count, sizeof(struct look_up_row));
        r->row_count = model_claim_look_ups(m, s->worker, &ask, r->rows);
        break;
    }
    case SETTLE_LOOKED_UP:
        r->rows = due = room(r->count, sizeof *due);
        r->row_count = model_settle_looked_up(m, s->worker, leases, r->looked_up, r->count, due);
        break;
    }
    r->done = true;
}

/* --- on the way ------------------------------------------------------------------------------------------------------------ */

static int64_t trip_us(const struct model_store *s)
{
    int64_t us = sim_between(TRIP_US_MIN, TRIP_US_MAX);
    return sim_chance(s->faults->late) ? us + sim_between(0, s->faults->late_us) : us;
}

static enum connection connection_of(enum kind kind)
{
    switch (kind) {
    case CLAIM:
    case CLAIM_IN_DOUBT:
    case CLAIM_LOOK_UPS:
        return CLAIMS;
    case LOAD_ROWS:
        return LOAD;
    case UNCLAIM:
    case RECORD:
    case SWEEP_DUE:
    case CLAIM_MARK:
    case SWEEP_SENDING:
    case SETTLE:
    case SETTLE_LOOKED_UP:
        return RESULTS;
    default:
        return CONTROL;
    }
}

static void on_answer(void *arg);

/* A COPY comes in pieces, and the world goes on between them. */
static bool hand_piece(struct request *r)
{
    struct due_message *rows = r->rows;
    size_t n = r->row_count - r->row_at < ROWS_A_PIECE ? r->row_count - r->row_at : ROWS_A_PIECE;
    if (n == 0)
        return false;
    ((store_due_cb)r->cb)(r->arg, OK, NULL, rows + r->row_at, n);
    r->row_at += n;
    return true;
}

static void on_answer(void *arg)
{
    struct request *r = arg;
    struct model_store *s = r->s;
    if (!r->over && r->kind == LOAD_ROWS && hand_piece(r)) {
        sim_after(s->host, sim_between(TRIP_US_MIN, TRIP_US_MAX + s->faults->piece_us), on_answer, r);
        return;
    }
    if (!r->over) {
        assert(r->done);
        call_back(r, OK);
    }
    request_free(r);
    s->events_pending--;
    store_free_if_done(s);
}

static void on_execute(void *arg)
{
    struct request *r = arg;
    struct model_store *s = r->s;
    bool broken = s->dead || r->session != s->session, lost = !broken && sim_chance(s->faults->lost);
    /* A statement that is on its way when its connection breaks may be done all the same. */
    if (!(broken || lost) || sim_chance(0.5))
        execute(r);
    TRACE("worker %d: %s, asked %zu: %s, %zu rows%s", s->worker, kind_names[r->kind], r->count,
          r->done ? "done" : "not done", r->row_count,
          broken ? ", on a connection that is gone"
          : lost ? ", and the connection breaks"
                 : "");
    if (lost)
        model_store_cut(&s->base, sim_between(20 * MS, 3 * SECOND));
    if (broken || lost) {
        sim_after(s->host, CUT_US_MAX + 1, on_answer, r); /* it has been called back by then */
        return;
    }
    enum connection c = connection_of(r->kind);
    int64_t at = sim_now() + trip_us(s);
    if (at <= s->answered_at[c])
        at = s->answered_at[c] + 1;
    s->answered_at[c] = at;
    sim_after(s->host, at - sim_now(), on_answer, r);
}

static struct request *request_new(struct store *base, enum kind kind, void (*cb)(void), void *arg, enum status *ret)
{
    struct model_store *s = of(base);
    *ret = E_GONE;
    if (!s->up || s->closing)
        return NULL;
    *ret = E_BUSY;
    if ((kind == LOAD_ROWS && s->one_load) || (kind == SWEEP_DUE && s->one_due) ||
        (kind == SWEEP_SENDING && s->one_sending))
        return NULL;
    s->one_load |= kind == LOAD_ROWS;
    s->one_due |= kind == SWEEP_DUE;
    s->one_sending |= kind == SWEEP_SENDING;
    struct request *r = room(0, sizeof *r);
    *r = (struct request){
        .s = s, .kind = kind, .session = s->session, .cb = cb, .arg = arg, .asked_us = SECOND + sim_now()
    };
    r->next = s->under_way;
    r->at = &s->under_way;
    if (r->next != NULL)
        r->next->at = &r->next;
    s->under_way = r;
    s->events_pending++;
    enum connection c = connection_of(kind);
    int64_t at = sim_now() + trip_us(s);
    if (at <= s->free_at[c])
        at = s->free_at[c] + 1;
    s->free_at[c] = at;
    sim_after(NULL, at - sim_now(), on_execute, r);
    *ret = OK;
    return r;
}

#define START(kind, cb)                                                                                                \
    enum status st;                                                                                                    \
    struct request *r = request_new(base, kind, (void (*)(void))(cb), arg, &st);                                       \
    if (r == NULL)                                                                                                     \
    return st

static void copy_leases(struct request *r, struct lease_set leases)
{
    memcpy(r->leases, leases.leases, leases.count * sizeof *leases.leases);
    r->lease_count = leases.count;
}

static void copy_refs(struct request *r, const struct message_ref *refs, size_t count)
{
    r->refs = room(count, sizeof *refs);
    memcpy(r->refs, refs, count * sizeof *refs);
    r->count = count;
}

static void copy_results(struct request *r, const struct send_result *results, size_t count)
{
    r->results = room(count, sizeof *results);
    memcpy(r->results, results, count * sizeof *results);
    r->count = count;
}

/* --- the table of functions -------------------------------------------------------------------------------------------------- */

static enum status claim(struct store *base, struct lease_set leases, const struct message_ref *refs, size_t count,
                         store_claim_cb cb, void *arg)
{
    START(CLAIM, cb);
    copy_leases(r, leases);
    copy_refs(r, refs, count);
    return OK;
}

static enum status claim_in_doubt(struct store *base, const struct in_doubt_request *q, store_claim_cb cb, void *arg)
{
    START(CLAIM_IN_DOUBT, cb);
    copy_leases(r, q->leases);
    r->has_provider = q->provider_count > 0;
    r->key_window_ms = r->has_provider ? q->key_window_ms[0] : 0;
    r->places = r->has_provider ? q->places[0] : 0;
    r->count = (size_t)r->places;
    r->number = q->settle_after_ms;
    return OK;
}

static enum status unclaim(struct store *base, const struct send_result *claimed, size_t count, store_due_cb cb,
                           void *arg)
{
    START(UNCLAIM, cb);
    copy_results(r, claimed, count);
    return OK;
}

static enum status record(struct store *base, struct lease_set leases, const struct send_result *results, size_t count,
                          store_record_cb cb, void *arg)
{
    START(RECORD, cb);
    copy_leases(r, leases);
    copy_results(r, results, count);
    return OK;
}

static enum status lease_acquire(struct store *base, const char *former, int64_t ttl_ms, store_lease_cb cb, void *arg)
{
    START(ACQUIRE, cb);
    r->former = worker_number(former);
    r->number = ttl_ms;
    return OK;
}

static enum status lease_renew(struct store *base, struct lease_set leases, int64_t ttl_ms, store_lease_cb cb,
                               void *arg)
{
    START(RENEW, cb);
    copy_leases(r, leases);
    r->number = ttl_ms;
    return OK;
}

static enum status lease_release(struct store *base, struct lease_set leases, store_done_cb cb, void *arg)
{
    START(RELEASE, cb);
    copy_leases(r, leases);
    return OK;
}

static enum status beat(struct store *base, bool draining, store_done_cb cb, void *arg)
{
    START(BEAT, cb);
    r->flag = draining;
    return OK;
}

static enum status clock_read(struct store *base, store_clock_cb cb, void *arg)
{
    START(CLOCK, cb);
    return OK;
}

static enum status load(struct store *base, const struct load_request *q, store_due_cb on_rows, store_done_cb on_done,
                        void *arg)
{
    START(LOAD_ROWS, on_rows);
    r->on_done = on_done;
    r->load = *q;
    memcpy(r->shards, q->shards, q->shard_count * sizeof *q->shards);
    r->shard_count = q->shard_count;
    return OK;
}

static enum status sweep_due(struct store *base, const struct sweep_request *q, store_due_cb cb, void *arg)
{
    START(SWEEP_DUE, cb);
    r->sweep = *q;
    copy_leases(r, q->leases);
    return OK;
}

static enum status claim_mark(struct store *base, store_number_cb cb, void *arg)
{
    START(CLAIM_MARK, cb);
    return OK;
}

static enum status sweep_sending(struct store *base, struct lease_set leases, const struct sending_request *q,
                                 store_due_cb cb, void *arg)
{
    START(SWEEP_SENDING, cb);
    copy_leases(r, leases);
    copy_refs(r, q->in_flight, q->in_flight_count);
    r->number = q->mark;
    r->number2 = q->grace_ms;
    return OK;
}

static enum status settle_by_policy(struct store *base, struct lease_set leases, int64_t policy_after_ms,
                                    size_t count_max, store_due_cb cb, void *arg)
{
    START(SETTLE, cb);
    copy_leases(r, leases);
    r->number = policy_after_ms;
    r->count = count_max;
    return OK;
}

static enum status claim_look_ups(struct store *base, const struct look_up_request *q, store_look_up_cb cb, void *arg)
{
    START(CLAIM_LOOK_UPS, cb);
    copy_leases(r, q->leases);
    r->has_provider = q->provider_count > 0;
    r->number = q->settle_after_ms;
    r->count = q->count_max;
    return OK;
}

static enum status settle_looked_up(struct store *base, struct lease_set leases, const struct looked_up *answers,
                                    size_t count, store_due_cb cb, void *arg)
{
    START(SETTLE_LOOKED_UP, cb);
    copy_leases(r, leases);
    r->looked_up = room(count, sizeof *answers);
    memcpy(r->looked_up, answers, count * sizeof *answers);
    r->count = count;
    return OK;
}

static bool is_up(const struct store *base)
{
    return of(base)->up;
}

static void on_close_later(void *arg)
{
    struct model_store *s = arg;
    s->events_pending--;
    store_free_if_done(s);
}

static void close_store(struct store *base, void (*on_closed)(void *arg), void *arg)
{
    struct model_store *s = of(base);
    s->closing = true;
    s->up = false;
    s->session++;
    s->on_closed = on_closed;
    s->on_closed_arg = arg;
    s->events_pending++;
    sim_after(NULL, 0, on_close_later, s);
    fail_all(s, E_CANCELLED);
}

static const struct store_ops ops = {
    .claim = claim,
    .claim_in_doubt = claim_in_doubt,
    .unclaim = unclaim,
    .record = record,
    .lease_acquire = lease_acquire,
    .lease_renew = lease_renew,
    .lease_release = lease_release,
    .beat = beat,
    .clock = clock_read,
    .load = load,
    .sweep_due = sweep_due,
    .claim_mark = claim_mark,
    .sweep_sending = sweep_sending,
    .settle_by_policy = settle_by_policy,
    .claim_look_ups = claim_look_ups,
    .settle_looked_up = settle_looked_up,
    .is_up = is_up,
    .close = close_store,
};

/* --- the connections ------------------------------------------------------------------------------------------------------------ */

static void on_connected(void *arg)
{
    struct model_store *s = arg;
    s->events_pending--;
    if (s->closing) {
        store_free_if_done(s);
        return;
    }
    if (s->up || s->dead)
        return;
    s->up = true;
    s->events.on_up(s->events.arg);
}

static void connect_later(struct model_store *s, int64_t us)
{
    s->events_pending++;
    sim_after(s->host, us, on_connected, s);
}

struct store *model_store_open(struct model *m, struct host *host, int worker, const struct faults *faults,
                               const struct store_events *events)
{
    struct model_store *s = room(0, sizeof *s);
    *s = (struct model_store){
        .base = { &ops }, .model = m, .host = host, .worker = worker, .faults = faults, .events = *events
    };
    connect_later(s, sim_between(1 * MS, 20 * MS));
    return &s->base;
}

/* The worker hears of it when its host runs. */
static void on_cut(void *arg)
{
    static const struct err gone = { "the connection broke" };
    struct model_store *s = arg;
    s->events_pending--;
    if (s->closing) {
        store_free_if_done(s);
        return;
    }
    if (!s->up)
        return;
    s->up = false;
    fail_all(s, E_GONE);
    s->events.on_down(s->events.arg, &gone);
}

void model_store_cut(struct store *base, int64_t away_us)
{
    struct model_store *s = of(base);
    if (!s->up || s->closing)
        return;
    s->session++;
    s->events_pending++;
    sim_after(s->host, sim_between(0, CUT_US_MAX), on_cut, s);
    connect_later(s, CUT_US_MAX + 1 + away_us);
}

void model_store_die(struct store *base)
{
    struct model_store *s = of(base);
    s->dead = true;
    s->up = false;
    s->session++;
    fail_all(s, E_GONE);
}

struct notice {
    struct model_store *s;
    uint64_t session;
    char payload[256];
};

static void on_notice(void *arg)
{
    struct notice *n = arg;
    struct model_store *s = n->s;
    s->events_pending--;
    if (!s->closing && s->up && n->session == s->session)
        s->events.on_notify(s->events.arg, n->payload);
    free(n);
    store_free_if_done(s);
}

void model_store_notify(struct store *base, const char *payload)
{
    struct model_store *s = of(base);
    if (!s->up || s->closing || sim_chance(s->faults->notify_lost))
        return;
    struct notice *n = room(0, sizeof *n);
    n->s = s;
    n->session = s->session;
    snprintf(n->payload, sizeof n->payload, "%s", payload);
    s->events_pending++;
    int64_t at = sim_now() + sim_between(TRIP_US_MIN, TRIP_US_MAX + s->faults->notify_late_us);
    if (at <= s->notified_at)
        at = s->notified_at + 1;
    s->notified_at = at;
    sim_after(s->host, at - sim_now(), on_notice, n);
}
