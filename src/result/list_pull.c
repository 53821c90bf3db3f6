#include "followupd/result/list_pull.h"

#include <stdio.h>
#include <stdlib.h>

#include "followupd/base/crash_point.h"
#include "followupd/base/log.h"

struct list_pulls {
    struct store *store;
    struct transport *transport;
    const struct registry *registry;
    struct list_pull_config config;
    struct lease_set (*leases)(void *arg);
    void *arg;
    uv_timer_t timer;
    bool busy, stopped;
    /* the list that is being read */
    const struct provider *provider;
    struct wall since, asked;
    struct list_place place;
    struct provider_request request;
    struct transport_request get; /* points into request */
    bool over;
    size_t pages, entries;
    int64_t applied, begun_us;
};

static void claim(struct list_pulls *l);
static void ask(struct list_pulls *l);

/* The only place a turn ends. again: there may be more to pull. */
static void turn_finish(struct list_pulls *l, bool again)
{
    provider_request_fini(&l->request);
    l->provider = NULL;
    l->busy = false;
    if (again && !l->stopped)
        claim(l);
}

static void failed(const char *statement, enum status st, const struct err *e)
{
    if (st != E_GONE && st != E_CANCELLED)
        log_warn("list_pull_failed", kv("statement", statement), kv("status", status_text(st)),
                 kv("reason", e != NULL ? e->text : ""));
}

/* --- how it ended --------------------------------------------------------------------------------------------------- */

static void on_ended(void *arg, enum status st, const struct err *e)
{
    struct list_pulls *l = arg;
    if (st != OK)
        failed("end_list_pull", st, e);
    else
        CRASH_POINT(list_ended);
    turn_finish(l, st == OK);
}

/* why NULL: read to its end. The rest as in list_end. */
static void end(struct list_pulls *l, const char *why, bool final, int64_t wait_ms)
{
    if (why == NULL)
        log_info("list_pulled", kv("provider", l->provider->config.name), kv("pages", l->pages),
                 kv("entries", l->entries), kv("applied", l->applied));
    else
        log_warn("list_not_pulled", kv("provider", l->provider->config.name), kv("pages", l->pages),
                 kv("entries", l->entries), kv("applied", l->applied), kv("reason", why));
    struct list_end what = { l->provider->config.name, l->asked, why, final, wait_ms };
    enum status st = l->stopped ? E_CANCELLED : l->store->ops->end_list_pull(l->store, &what, on_ended, l);
    CRASH_POINT(list_end_asked);
    if (st != OK)
        on_ended(l, st, NULL);
}

/* --- a page --------------------------------------------------------------------------------------------------------- */

static void go_on(struct list_pulls *l)
{
    if (l->over)
        end(l, NULL, false, 0);
    else if (l->pages >= l->config.pages_max)
        end(l, "the list is longer than is read of one; the rest is not known", true, 0);
    else if (mono_now_us() - l->begun_us > l->config.ms_max * 1000)
        end(l, "it takes too long; the rest is not known", true, 0);
    else
        ask(l);
}

static void on_applied(void *arg, enum status st, const struct err *e, int64_t applied)
{
    struct list_pulls *l = arg;
    if (st != OK) {
        failed("apply_list_page", st, e);
        turn_finish(l, false); /* claim_list_pull gives it out again */
        return;
    }
    CRASH_POINT(list_page_done);
    l->applied += applied;
    go_on(l);
}

static void apply(struct list_pulls *l, const json_t *entries)
{
    char *text = json_dumps(entries, JSON_COMPACT);
    enum status st = E_NOMEM;
    l->entries += json_array_size(entries);
    if (json_array_size(entries) == 0) {
        free(text);
        go_on(l);
        return;
    }
    if (text != NULL)
        st = l->store->ops->apply_list_page(l->store, l->provider->config.name, l->asked, text, on_applied, l);
    free(text);
    CRASH_POINT(list_page_told);
    if (st != OK)
        on_applied(l, st, NULL, 0);
}

static void end_refused(struct list_pulls *l, const struct transport_answer *answer)
{
    const struct provider *p = l->provider;
    char why[TRANSPORT_DETAIL_BYTES + 64];
    int64_t wait_ms = judge_wait_ms(p->type, &p->config, answer, wall_now());
    if (wait_ms > 0)
        snprintf(why, sizeof why, "HTTP %d, not again before %lld s have passed", answer->http_status,
                 (long long)(wait_ms + 999) / 1000);
    else
        snprintf(why, sizeof why, "HTTP %d %s", answer->http_status, answer->detail);
    end(l, why, false, wait_ms);
}

static void on_answer(void *arg, const struct transport_answer *answer)
{
    struct list_pulls *l = arg;
    struct err e = { "" };
    provider_request_fini(&l->request);
    if (l->stopped) {
        turn_finish(l, false);
        return;
    }
    if (answer->end != TRANSPORT_ANSWERED || answer->http_status != 200 || !answer->body_whole) {
        end_refused(l, answer);
        return;
    }
    CRASH_POINT(list_page_read);
    json_t *entries = json_array();
    l->pages++;
    enum status st = l->provider->type->read_list(answer, &l->place, &l->over, entries, &e);
    if (st == OK)
        apply(l, entries);
    else
        end(l, e.text, false, 0);
    json_decref(entries);
}

static void ask(struct list_pulls *l)
{
    struct err e = { "" };
    const struct provider_config *c = &l->provider->config;
    enum status st = l->provider->type->build_list(c, &l->place, l->since, &l->request, &e);
    if (st == OK) {
        l->get = provider_request_transport(&l->request, c);
        l->get.answer_bytes_max = LIST_PULL_ANSWER_BYTES_MAX;
        st = transport_send(l->transport, &l->get, on_answer, l);
        CRASH_POINT(list_page_asked);
    }
    if (st != OK)
        end(l, e.text[0] != '\0' ? e.text : status_text(st), false, 0);
}

/* --- whose turn it is ------------------------------------------------------------------------------------------------ */

static void on_claimed(void *arg, enum status st, const struct err *e, const struct list_row *row)
{
    struct list_pulls *l = arg;
    int at = st == OK && row != NULL ? registry_find(l->registry, row->provider) : -1;
    if (st != OK)
        failed("claim_list_pull", st, e);
    if (at < 0 || l->stopped) {
        turn_finish(l, false);
        return;
    }
    CRASH_POINT(list_claimed);
    l->provider = registry_at(l->registry, (size_t)at);
    l->since = row->since;
    l->asked = row->asked;
    l->place = (struct list_place){ 0 };
    l->over = false;
    l->pages = l->entries = 0;
    l->applied = 0;
    l->begun_us = mono_now_us();
    ask(l);
}

static void claim(struct list_pulls *l)
{
    const char *providers[REGISTRY_PROVIDERS_MAX], *types[REGISTRY_PROVIDERS_MAX];
    struct list_request r = { .leases = l->leases(l->arg), .providers = providers, .types = types };
    if (l->busy || r.leases.count == 0 || !l->store->ops->is_up(l->store))
        return;
    for (size_t i = 0; i < registry_count(l->registry); i++) {
        const struct provider *p = registry_at(l->registry, i);
        if (p->type->build_list == NULL)
            continue;
        providers[r.provider_count] = p->config.name;
        types[r.provider_count++] = p->type->name;
    }
    l->busy = true;
    CRASH_POINT(list_wanted);
    enum status st = l->store->ops->claim_list_pull(l->store, &r, on_claimed, l);
    CRASH_POINT(list_asked);
    if (st != OK)
        on_claimed(l, st, NULL, NULL);
}

static void on_timer(uv_timer_t *timer)
{
    claim(timer->data);
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

enum status list_pulls_open(uv_loop_t *loop, struct store *store, struct transport *transport,
                            const struct registry *registry, const struct list_pull_config *config,
                            struct lease_set (*leases)(void *arg), void *arg, struct list_pulls **ret, struct err *e)
{
    struct list_pulls *l = calloc(1, sizeof *l);
    if (l == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    l->store = store;
    l->transport = transport;
    l->registry = registry;
    l->config = *config;
    l->leases = leases;
    l->arg = arg;
    uv_timer_init(loop, &l->timer);
    l->timer.data = l;
    uv_timer_start(&l->timer, on_timer, (uint64_t)config->every_ms, (uint64_t)config->every_ms);
    *ret = l;
    return OK;
}

void list_pulls_stop(struct list_pulls *l)
{
    l->stopped = true;
    uv_timer_stop(&l->timer);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void list_pulls_close(struct list_pulls *l)
{
    list_pulls_stop(l);
    provider_request_fini(&l->request);
    uv_close((uv_handle_t *)&l->timer, on_closed);
}
