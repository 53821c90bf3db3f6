#include "followupd/result/look_up.h"

#include <assert.h>
#include <stdlib.h>

#include "followupd/base/crash_point.h"
#include "followupd/base/log.h"

/* One message that is asked about. */
struct question {
    struct look_ups *owner;
    const struct provider *provider; /* borrowed */
    struct provider_request request;
    struct transport_request get; /* points into request */
    struct looked_up answer;      /* its provider_message_id points below */
    enum look_up_answer said;
    char provider_message_id[PROVIDER_ID_BYTES];
};

struct look_ups {
    struct store *store;
    struct transport *transport;
    const struct registry *registry;
    struct look_up_config config;
    struct look_up_hooks hooks;
    uv_timer_t timer;
    struct question questions[LOOK_UP_ROWS_MAX]; /* of this turn */
    size_t count, open;                          /* open: not yet answered */
    bool busy, stopped;
    struct look_up_stats stats;
};

static void failed(struct look_ups *l, const char *what, enum status st, const struct err *e)
{
    l->stats.failures++;
    if (st != E_GONE && st != E_CANCELLED)
        log_warn("look_up_failed", kv("statement", what), kv("status", status_text(st)),
                 kv("reason", e != NULL ? e->text : ""));
}

/* The only place where a turn ends. */
static void turn_finish(struct look_ups *l)
{
    l->busy = false;
    l->count = 0;
    l->hooks.on_turn_ended(l->hooks.arg);
}

/* --- what was said -------------------------------------------------------------------------------------------------- */

static void on_settled(void *arg, enum status st, const struct err *e, const struct due_message *rows, size_t count)
{
    struct look_ups *l = arg;
    CRASH_POINT(looked_up);
    if (st != OK) {
        failed(l, "settle_looked_up", st, e);
        count = 0;
    }
    for (size_t i = 0; i < count; i++)
        l->hooks.set(l->hooks.arg, rows[i]);
    turn_finish(l);
}

static void settle(struct look_ups *l)
{
    struct looked_up answers[LOOK_UP_ROWS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (l->questions[i].said != LOOK_UP_UNKNOWN)
            answers[count++] = l->questions[i].answer;
    }
    if (l->stopped || count == 0) {
        turn_finish(l);
        return;
    }
    enum status st =
        l->store->ops->settle_looked_up(l->store, l->hooks.leases(l->hooks.arg), answers, count, on_settled, l);
    CRASH_POINT(looked_up_asked);
    if (st != OK)
        on_settled(l, st, NULL, NULL, 0);
}

static void question_end(struct question *q)
{
    struct look_ups *l = q->owner;
    provider_request_fini(&q->request);
    l->open--;
    if (l->open == 0)
        settle(l);
}

static void on_answer(void *arg, const struct transport_answer *answer)
{
    struct question *q = arg;
    struct look_ups *l = q->owner;
    CRASH_POINT(look_up_answered);
    if (answer->end == TRANSPORT_ANSWERED && answer->body_whole)
        q->said = q->provider->type->read_look_up(answer, q->provider_message_id);
    q->answer.found = q->said == LOOK_UP_FOUND;
    q->answer.provider_message_id = q->provider_message_id[0] != '\0' ? q->provider_message_id : NULL;
    l->stats.found += q->said == LOOK_UP_FOUND;
    l->stats.absent += q->said == LOOK_UP_ABSENT;
    static const char *const said[] = { "nothing", "found", "absent" };
    log_info("message_looked_up", kv("account", q->answer.ref.account_id), kv("message", q->answer.ref.message_id),
             kv("provider", q->provider->config.name), kv("http_status", answer->http_status),
             kv("said", said[q->said]));
    question_end(q);
}

/* --- asking --------------------------------------------------------------------------------------------------------- */

static enum status ask(struct question *q, const struct look_up_row *row)
{
    char fu_id[PROVIDER_FU_ID_BYTES];
    struct err e = { "" };
    const struct provider_config *c = &q->provider->config;
    provider_fu_id(row->ref.account_id, row->ref.message_id, row->attempts, fu_id);
    const struct doubt doubt = { fu_id, row->rfc_message_id, row->first_post_real, wall_now() };
    enum status st = q->provider->type->build_look_up(c, &doubt, &q->request, &e);
    if (st != OK)
        return st;
    q->get = provider_request_transport(&q->request, c);
    return transport_send(q->owner->transport, &q->get, on_answer, q);
}

static void on_claimed(void *arg, enum status st, const struct err *e, const struct look_up_row *rows, size_t count)
{
    struct look_ups *l = arg;
    if (st != OK)
        failed(l, "claim_look_ups", st, e);
    if (st != OK || l->stopped)
        count = 0;
    for (size_t i = 0; i < count && l->count < LOOK_UP_ROWS_MAX; i++) {
        int at = registry_find(l->registry, rows[i].provider);
        if (at < 0)
            continue;
        struct question *q = &l->questions[l->count];
        *q = (struct question){ .owner = l, .provider = registry_at(l->registry, (size_t)at) };
        q->answer = (struct looked_up){ .ref = rows[i].ref,
                                        .attempts = rows[i].attempts,
                                        .posts = rows[i].posts,
                                        .proof_ms = q->provider->config.look_up_proof_ms };
        if (ask(q, &rows[i]) != OK) {
            provider_request_fini(&q->request);
            continue; /* asked about again later */
        }
        l->stats.asked++;
        l->count++;
        l->open++;
    }
    if (l->open == 0)
        settle(l);
}

/* The types of the providers never change. */
static bool has_askable(const struct registry *registry)
{
    for (size_t i = 0; i < registry_count(registry); i++) {
        if (registry_at(registry, i)->type->build_look_up != NULL)
            return true;
    }
    return false;
}

static size_t list_providers(const struct look_ups *l, const char **ret)
{
    size_t count = 0;
    for (size_t i = 0; i < registry_count(l->registry); i++) {
        const struct provider *p = registry_at(l->registry, i);
        if (p->type->build_look_up != NULL && l->hooks.may_ask(l->hooks.arg, i))
            ret[count++] = p->config.name;
    }
    return count;
}

static void on_timer(uv_timer_t *timer)
{
    struct look_ups *l = timer->data;
    const char *providers[REGISTRY_PROVIDERS_MAX];
    size_t count = list_providers(l, providers);
    struct lease_set leases = l->hooks.leases(l->hooks.arg);
    if (l->busy || count == 0 || leases.count == 0 || !l->store->ops->is_up(l->store))
        return;
    struct look_up_request r = { .leases = leases,
                                 .providers = providers,
                                 .provider_count = count,
                                 .settle_after_ms = l->config.after_ms,
                                 .count_max = l->config.rows_max };
    l->busy = true;
    CRASH_POINT(look_up_wanted);
    enum status st = l->store->ops->claim_look_ups(l->store, &r, on_claimed, l);
    CRASH_POINT(look_up_asked);
    if (st != OK)
        on_claimed(l, st, NULL, NULL, 0);
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

enum status look_ups_new(uv_loop_t *loop, struct store *store, struct transport *transport,
                         const struct registry *registry, const struct look_up_config *config,
                         const struct look_up_hooks *hooks, struct look_ups **ret)
{
    assert(config->every_ms > 0 && config->rows_max >= 1 && config->rows_max <= LOOK_UP_ROWS_MAX);
    struct look_ups *l = calloc(1, sizeof *l);
    if (l == NULL)
        return E_NOMEM;
    l->store = store;
    l->transport = transport;
    l->registry = registry;
    l->config = *config;
    l->hooks = *hooks;
    uv_timer_init(loop, &l->timer);
    l->timer.data = l;
    if (has_askable(registry))
        uv_timer_start(&l->timer, on_timer, (uint64_t)config->every_ms, (uint64_t)config->every_ms);
    *ret = l;
    return OK;
}

void look_ups_stop(struct look_ups *l)
{
    l->stopped = true;
    uv_timer_stop(&l->timer);
}

bool look_ups_busy(const struct look_ups *l)
{
    return l->busy && l->open == 0;
}

struct look_up_stats look_ups_stats(const struct look_ups *l)
{
    return l->stats;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void look_ups_close(struct look_ups *l)
{
    assert(!l->busy);
    uv_close((uv_handle_t *)&l->timer, on_closed);
}
