#include "people.h"

#include <assert.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/base/log.h"
#include "hooks.h"
#include "keymap.h"
#include "message.h"

#define BATCH_MAX     64
#define ADDRESS_BYTES 512

/* The calls, as an integration makes them. $1 account, $2 message; each answers one followup.action_result. */
static const char SQL_RECORD_REPLY[] = "SELECT done FROM followup.record_reply(p_account => $1::bigint, p_message => "
                                       "$2::bigint, p_from => $3, p_subject => $4,"
                                       " p_body => $5, p_received_at => NULL)";
static const char SQL_RECORD_BOUNCE[] =
    "SELECT done FROM followup.record_bounce(p_account => $1::bigint, p_message => $2::bigint, p_kind => 'hard',"
    " p_detail => '550 5.1.1 no such user here')";
static const char SQL_UNSUBSCRIBE[] =
    "SELECT done FROM followup.unsubscribe(p_account => $1::bigint, p_message => $2::bigint)";
static const char SQL_ACCOUNT_IS_NAMED[] =
    "SELECT EXISTS (SELECT FROM followup.account WHERE id = $1::bigint AND name = $2)";

static const char *const act_names[PEOPLE_ACTS] = { "nothing", "reply", "bounce", "unsubscribe", "complaint" };

static const char *const replies[] = {
    "Thanks for writing. Yes, please call me tomorrow.",
    "I have a few more questions. What does it cost?",
    "Not interested, thank you.",
    "I bought elsewhere last week.",
};

struct recipient {
    struct keymap_node node;
    uint64_t messages;
    struct message last; /* that webhooks are sent for; its document is referenced */
    int64_t last_seq;    /* 0: there is none */
    char address[];      /* without a name */
};

struct act {
    struct list node; /* of ready or of the running batch */
    struct people *people;
    uv_timer_t timer;
    enum people_act what;
    int64_t account_id, message_id;
    const char *reply;
    struct message message;            /* for an act through hooks; its document is referenced */
    int64_t seq;                       /* the same; 0: through SQL */
    char *from, *subject;              /* owned */
    bool done, refused, other_account; /* none of them: it failed */
    char error[ERR_BYTES_MAX];
};

struct people {
    uv_loop_t *loop; /* borrowed */
    struct people_options options;
    struct hooks *hooks; /* borrowed; NULL: none */
    struct keymap recipients;
    struct list waiting; /* for their time */
    struct list ready;   /* their time has come */
    struct people_stats stats;
    bool stopping;

    uv_work_t work;
    bool working;
    struct list batch;          /* the pool thread's while working */
    PGconn *connection;         /* the same */
    atomic_bool batch_must_end; /* told by the loop, read by the thread */
};

/* ---- what a lead does ---- */

static uint64_t hash_of(uint64_t seed, const char *address, uint64_t n, const char *purpose)
{
    uint8_t key[crypto_shorthash_KEYBYTES] = { 0 }, hash[crypto_shorthash_BYTES];
    char text[1024];
    uint64_t value;
    for (int i = 0; i < 8; i++)
        key[i] = (uint8_t)(seed >> (8 * i));
    int length = snprintf(text, sizeof text, "%s %" PRIu64 " %s", purpose, n, address);
    crypto_shorthash(hash, (const uint8_t *)text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1, key);
    memcpy(&value, hash, sizeof value);
    return value;
}

enum people_act people_decide(const struct people_options *o, const char *address, uint64_t n, int64_t *ret_delay_ms)
{
    double at = (double)(hash_of(o->seed, address, n, "act") >> 11) * 0x1p-53;
    uint64_t span = (uint64_t)(o->delay_max_ms - o->delay_min_ms) + 1;
    *ret_delay_ms = o->delay_min_ms + (int64_t)(hash_of(o->seed, address, n, "delay") % span);
    if (at < o->reply_rate)
        return PEOPLE_REPLY;
    if (at < o->reply_rate + o->bounce_rate)
        return PEOPLE_BOUNCE;
    if (at < o->reply_rate + o->bounce_rate + o->unsubscribe_rate)
        return PEOPLE_UNSUBSCRIBE;
    if (at < o->reply_rate + o->bounce_rate + o->unsubscribe_rate + o->complaint_rate)
        return PEOPLE_COMPLAIN;
    return PEOPLE_NOTHING;
}

static struct recipient *find_recipient(const struct people *p, const char *address)
{
    struct keymap_node *node = keymap_find(&p->recipients, address);
    return node != NULL ? container_of(node, struct recipient, node) : NULL;
}

/* NULL: out of memory */
static struct recipient *recipient_of(struct people *p, const char *address)
{
    struct recipient *r = find_recipient(p, address);
    if (r != NULL)
        return r;
    size_t bytes = strlen(address) + 1;
    r = calloc(1, sizeof *r + bytes);
    if (r == NULL)
        return NULL;
    memcpy(r->address, address, bytes);
    if (keymap_add(&p->recipients, &r->node, r->address) != OK) {
        free(r);
        return NULL;
    }
    return r;
}

/* Which message to this address it is, from 1; 0: out of memory. */
static uint64_t count_message(struct people *p, const struct message *m, int64_t seq)
{
    char address[ADDRESS_BYTES];
    size_t bytes;
    const char *from = message_address(m->to, &bytes);
    snprintf(address, sizeof address, "%.*s", (int)bytes, from);
    struct recipient *r = recipient_of(p, address);
    if (r == NULL)
        return 0;
    if (hooks_tell(p->hooks, m)) {
        json_decref(r->last.document);
        r->last = *m;
        r->last_seq = seq;
        json_incref(m->document);
    }
    return ++r->messages;
}

static void forget_recipient(struct keymap_node *node)
{
    struct recipient *r = container_of(node, struct recipient, node);
    json_decref(r->last.document);
    free(r);
}

/* ---- an act: waits, is ready, is called, ends ---- */

static void act_on_closed(uv_handle_t *handle)
{
    struct act *a = container_of(handle, struct act, timer);
    free(a->from);
    free(a->subject);
    json_decref(a->message.document);
    free(a);
}

static void act_end(struct act *a)
{
    list_remove(&a->node);
    a->people->stats.waiting--;
    uv_close((uv_handle_t *)&a->timer, act_on_closed);
}

static void call_start(struct people *p);

static void act_count(struct act *a);

static bool by_hook(struct people *p, enum people_act what, const struct message *m, int64_t seq, const char *text)
{
    static const enum hook_kind kinds[PEOPLE_ACTS] = {
        [PEOPLE_BOUNCE] = HOOK_BOUNCED,
        [PEOPLE_UNSUBSCRIBE] = HOOK_UNSUBSCRIBED,
        [PEOPLE_COMPLAIN] = HOOK_COMPLAINED,
    };
    return what == PEOPLE_REPLY ? hooks_reply(p->hooks, m, seq, text)
                                : hooks_event(p->hooks, kinds[what], m, seq, text);
}

static void act_by_hook(struct act *a)
{
    a->done = by_hook(a->people, a->what, &a->message, a->seq, a->what == PEOPLE_REPLY ? a->reply : NULL);
    act_count(a);
    act_end(a);
}

enum people_act people_act_named(const char *name)
{
    enum people_act what = PEOPLE_REPLY;
    while (what < PEOPLE_ACTS && strcmp(name, act_names[what]) != 0)
        what++;
    return what < PEOPLE_ACTS ? what : PEOPLE_NOTHING;
}

const struct message *people_last(const struct people *p, const char *address)
{
    const struct recipient *r = p != NULL ? find_recipient(p, address) : NULL;
    return r != NULL && r->last_seq != 0 ? &r->last : NULL;
}

enum status people_act_now(struct people *p, const char *address, enum people_act what, const char *text, struct err *e)
{
    const struct recipient *r = p != NULL ? find_recipient(p, address) : NULL;
    if (r == NULL || r->last_seq == 0)
        return err_set(e, E_NOT_FOUND, "recipient: got no message that webhooks are sent for");
    if (text == NULL && what == PEOPLE_REPLY)
        text = replies[0];
    if (!by_hook(p, what, &r->last, r->last_seq, text))
        return err_set(e, E_INVALID, "act: %s tells of no %s here", r->last.api, act_names[what]);
    p->stats.done[what]++;
    return OK;
}

static void act_on_time(uv_timer_t *timer)
{
    struct act *a = container_of(timer, struct act, timer);
    if (a->seq != 0) {
        act_by_hook(a);
        return;
    }
    list_remove(&a->node);
    list_append(&a->people->ready, &a->node);
    call_start(a->people);
}

void people_remember(struct people *p, const struct message *m, int64_t seq)
{
    count_message(p, m, seq);
}

void people_on_accepted(struct people *p, const struct message *m, int64_t seq)
{
    int64_t delay_ms;
    uint64_t n = count_message(p, m, seq);
    enum people_act what = people_decide(&p->options, m->to, n, &delay_ms);
    bool told = hooks_tell(p->hooks, m);
    if (told && !p->stopping) {
        hooks_event(p->hooks, HOOK_ACCEPTED, m, seq, NULL);
        if (what != PEOPLE_BOUNCE)
            hooks_event(p->hooks, HOOK_DELIVERED, m, seq, NULL);
    }
    if (p->stopping || what == PEOPLE_NOTHING || (!told && (p->options.conninfo == NULL || what == PEOPLE_COMPLAIN)))
        return;
    struct act *a = p->stats.waiting < PEOPLE_WAITING_MAX ? calloc(1, sizeof *a) : NULL;
    if (a != NULL) {
        a->from = strdup(m->to);
        a->subject = strdup(m->subject);
    }
    if (a == NULL || a->from == NULL || a->subject == NULL) {
        p->stats.dropped++;
        if (a != NULL) {
            free(a->from);
            free(a->subject);
        }
        free(a);
        return;
    }
    a->people = p;
    a->what = what;
    a->account_id = m->account_id;
    a->message_id = m->id;
    if (told) {
        a->message = *m;
        json_incref(m->document);
        a->seq = seq;
    }
    a->reply = replies[hash_of(p->options.seed, m->to, n, "words") % COUNT_OF(replies)];
    p->stats.waiting++;
    list_append(&p->waiting, &a->node);
    uv_timer_init(p->loop, &a->timer);
    uv_timer_start(&a->timer, act_on_time, (uint64_t)delay_ms, 0);
}

/* ---- on the pool thread: one batch over one connection ---- */

static bool connect_database(struct people *p)
{
    const char *names[] = { "dbname", "connect_timeout", "fallback_application_name", NULL };
    const char *values[] = { p->options.conninfo, "5", "followup-sandbox", NULL };
    char limit[64];
    if (p->connection != NULL && PQstatus(p->connection) == CONNECTION_OK)
        return true;
    PQfinish(p->connection);
    p->connection = PQconnectdbParams(names, values, 1);
    if (PQstatus(p->connection) != CONNECTION_OK)
        return false;
    snprintf(limit, sizeof limit, "SET statement_timeout = '%ds'", PEOPLE_CALL_S);
    PQclear(PQexec(p->connection, limit));
    return true;
}

/* NULL: the call failed, the act says why */
static PGresult *query(struct people *p, struct act *a, const char *sql, int count, const char *const *values)
{
    PGresult *result = PQexecParams(p->connection, sql, count, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        return result;
    snprintf(a->error, sizeof a->error, "%s", PQerrorMessage(p->connection));
    /* Without the server's word for it the connection broke, though PQstatus may call it sound until the next call. */
    if (PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL) {
        PQfinish(p->connection);
        p->connection = NULL;
    }
    PQclear(result);
    return NULL;
}

static bool belongs(struct people *p, struct act *a, const char *account_id)
{
    const char *values[] = { account_id, p->options.account };
    PGresult *result = query(p, a, SQL_ACCOUNT_IS_NAMED, 2, values);
    if (result == NULL)
        return false;
    a->other_account = strcmp(PQgetvalue(result, 0, 0), "t") != 0;
    PQclear(result);
    return !a->other_account;
}

static void call(struct people *p, struct act *a)
{
    static const struct {
        const char *sql;
        int values;
    } calls[PEOPLE_ACTS] = {
        [PEOPLE_REPLY] = { SQL_RECORD_REPLY, 5 },
        [PEOPLE_BOUNCE] = { SQL_RECORD_BOUNCE, 2 },
        [PEOPLE_UNSUBSCRIBE] = { SQL_UNSUBSCRIBE, 2 },
    };
    char account_id[24], message_id[24], *subject = NULL;
    snprintf(account_id, sizeof account_id, "%" PRId64, a->account_id);
    snprintf(message_id, sizeof message_id, "%" PRId64, a->message_id);
    if (p->options.account != NULL && !belongs(p, a, account_id))
        return;
    if (asprintf(&subject, "Re: %s", a->subject) < 0) {
        snprintf(a->error, sizeof a->error, "out of memory");
        return;
    }
    const char *values[] = { account_id, message_id, a->from, subject, a->reply };
    PGresult *result = query(p, a, calls[a->what].sql, calls[a->what].values, values);
    a->done = result != NULL && strcmp(PQgetvalue(result, 0, 0), "t") == 0;
    a->refused = result != NULL && !a->done;
    PQclear(result);
    free(subject);
}

static void call_work(uv_work_t *work)
{
    struct people *p = container_of(work, struct people, work);
    list_for_each (node, &p->batch) {
        struct act *a = container_of(node, struct act, node);
        if (atomic_load(&p->batch_must_end))
            snprintf(a->error, sizeof a->error, "stopped");
        else if (!connect_database(p))
            snprintf(a->error, sizeof a->error, "%s", PQerrorMessage(p->connection));
        else
            call(p, a);
    }
}

static void act_count(struct act *a)
{
    struct people_stats *stats = &a->people->stats;
    if (a->done)
        stats->done[a->what]++;
    else if (a->refused)
        stats->refused++;
    else if (a->other_account)
        stats->other_account++;
    else
        stats->failed++;
}

/* One line a batch: when the database is away every call of it fails alike. */
static void log_failures(const struct people *p)
{
    struct act *first = NULL;
    uint64_t failed = 0;
    list_for_each (node, &p->batch) {
        struct act *a = container_of(node, struct act, node);
        if (a->done || a->refused || a->other_account)
            continue;
        failed++;
        first = first != NULL ? first : a;
    }
    if (first == NULL)
        return;
    first->error[strcspn(first->error, "\n")] = '\0';
    log_warn("lead_calls_failed", kv("calls", failed), kv("first", act_names[first->what]),
             kv("account", first->account_id), kv("message", first->message_id),
             kv("error", (const char *)first->error));
}

static void call_on_done(uv_work_t *work, int status)
{
    struct people *p = container_of(work, struct people, work);
    assert(status == 0); /* nobody cancels it */
    p->working = false;
    log_failures(p);
    while (!list_empty(&p->batch)) {
        struct act *a = container_of(p->batch.next, struct act, node);
        act_count(a);
        act_end(a);
    }
    call_start(p);
}

static void call_start(struct people *p)
{
    if (p->working || p->stopping || list_empty(&p->ready))
        return;
    for (int i = 0; i < BATCH_MAX && !list_empty(&p->ready); i++)
        list_append(&p->batch, list_take_first(&p->ready));
    p->working = true;
    int failed = uv_queue_work(p->loop, &p->work, call_work, call_on_done);
    assert(failed == 0); /* it fails only without a work function */
}

/* ---- start and stop ---- */

struct people *people_new(uv_loop_t *loop, const struct people_options *options, struct hooks *hooks)
{
    struct people *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->loop = loop;
    p->options = *options;
    p->hooks = hooks;
    list_init(&p->waiting);
    list_init(&p->ready);
    list_init(&p->batch);
    if (keymap_init(&p->recipients) != OK) {
        free(p);
        return NULL;
    }
    return p;
}

void people_stop(struct people *p)
{
    if (p == NULL)
        return;
    p->stopping = true;
    atomic_store(&p->batch_must_end, true);
    struct list *const lists[] = { &p->waiting, &p->ready };
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        while (!list_empty(lists[i])) {
            p->stats.dropped++;
            act_end(container_of(lists[i]->next, struct act, node));
        }
    }
}

void people_free(struct people *p)
{
    if (p == NULL)
        return;
    assert(!p->working && p->stats.waiting == 0);
    PQfinish(p->connection);
    keymap_fini(&p->recipients, forget_recipient);
    free(p);
}

void people_stats(const struct people *p, struct people_stats *ret)
{
    *ret = p != NULL ? p->stats : (struct people_stats){ 0 };
}
