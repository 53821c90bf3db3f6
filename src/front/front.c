#include "followupd/front/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/buf.h"
#include "followupd/base/clock.h"
#include "followupd/front/metrics.h"
#include "followupd/front/route.h"
#include "unsubscribe.h"
#include "webhook.h"

#define REASONS_BYTES_MAX 400

struct front {
    struct server *server; /* NULL: closed */
    struct front_hooks hooks;
    struct store *store;
    struct webhooks *webhooks;
    size_t pages; /* that wait for the database */
    bool closing;
    struct figures figures; /* as read last; the histograms are in `metrics` only */
    struct buf metrics;     /* those figures as text; empty: they could not be printed */
    struct mono old_at;     /* when both are read anew */
};

static void look(struct front *f)
{
    struct mono now = mono_now();
    if (f->closing || !mono_reached(f->old_at, now))
        return;
    f->hooks.figures(f->hooks.arg, &f->figures);
    buf_clear(&f->metrics);
    if (metrics_text(&f->figures, &f->metrics) != OK)
        buf_clear(&f->metrics);
    f->old_at = mono_add(now, FRONT_FIGURES_MS);
}

static void answer_text(struct exchange *x, const char *content_type, const char *text, size_t bytes)
{
    exchange_answer(
        x, &(struct answer){ .http_status = 200, .content_type = content_type, .body = text, .body_bytes = bytes });
}

static void answer_health(void *context, struct exchange *x, const struct route_pieces *pieces)
{
    (void)pieces;
    static const char text[] = "{\"status\":\"ok\"}\n";
    (void)context;
    answer_text(x, "application/json", text, sizeof text - 1);
}

static void add_reason(char *reasons, const char *reason)
{
    size_t used = strlen(reasons);
    snprintf(reasons + used, REASONS_BYTES_MAX - used, "%s\"%s\"", used > 0 ? "," : "", reason);
}

static void answer_ready(void *context, struct exchange *x, const struct route_pieces *pieces)
{
    (void)pieces;
    static const char text[] = "{\"status\":\"ready\"}\n";
    struct front *f = context;
    const struct figures *now = &f->figures;
    char reasons[REASONS_BYTES_MAX] = "", more[REASONS_BYTES_MAX + 20];
    look(f);
    if (now->draining > 0 || f->closing)
        add_reason(reasons, "told to stop, draining");
    if (now->database_up < 1)
        add_reason(reasons, "the database is not reached");
    if (now->shards_held < 1)
        add_reason(reasons, "no shard is held");
    else if (now->shards_valid < now->shards_held)
        add_reason(reasons, now->shards_valid < 1 ? "the leases have run out" : "some leases have run out");
    if (reasons[0] == '\0') {
        answer_text(x, "application/json", text, sizeof text - 1);
        return;
    }
    snprintf(more, sizeof more, ",\"reasons\":[%s]", reasons);
    route_problem(x, 503, "Service Unavailable", "messages cannot be sent now", more);
}

static void answer_metrics(void *context, struct exchange *x, const struct route_pieces *pieces)
{
    (void)pieces;
    struct front *f = context;
    look(f);
    if (f->metrics.used > 0)
        answer_text(x, "text/plain; version=0.0.4; charset=utf-8", f->metrics.data, f->metrics.used);
    else
        route_problem(x, 500, "Internal Server Error", "the figures cannot be printed", "");
}

/* --- what comes from outside -------------------------------------------------------------------------------------- */

static void end_if_over(struct front *f);

static bool webhooks_door(void *context, const struct route_pieces *pieces)
{
    const struct front *f = context;
    return webhooks_expect(f->webhooks, pieces);
}

static void take_events(void *context, struct exchange *x, const struct route_pieces *pieces)
{
    struct front *f = context;
    webhooks_request(f->webhooks, x, pieces, false);
}

static void take_mail(void *context, struct exchange *x, const struct route_pieces *pieces)
{
    struct front *f = context;
    webhooks_request(f->webhooks, x, pieces, true);
}

static void on_page_end(void *arg)
{
    struct front *f = arg;
    f->pages--;
    end_if_over(f);
}

static void answer_page(struct front *f, struct exchange *x, const struct route_pieces *pieces, bool acts)
{
    f->pages += unsubscribe_request(f->closing ? NULL : f->store, x, pieces, acts, on_page_end, f);
}

static void show_unsubscribe(void *context, struct exchange *x, const struct route_pieces *pieces)
{
    answer_page(context, x, pieces, false);
}

static void unsubscribe(void *context, struct exchange *x, const struct route_pieces *pieces)
{
    answer_page(context, x, pieces, true);
}

/* --- life ----------------------------------------------------------------------------------------------------- */

static const struct route routes[] = {
    { "GET", "/healthz", answer_health },
    { "GET", "/readyz", answer_ready },
    { "GET", "/metrics", answer_metrics },
    { "POST", "/webhooks/{}/{}", take_events, WEBHOOK_BODY_BYTES_MAX, webhooks_door },
    { "POST", "/inbound/{}/{}", take_mail, WEBHOOKS_INBOUND_BYTES_MAX, webhooks_door },
    { "GET", "/u/{}", show_unsubscribe },
    { "POST", "/u/{}", unsubscribe, UNSUBSCRIBE_BODY_BYTES_MAX },
    { NULL, NULL, NULL },
};

static size_t on_header(void *arg, const struct exchange *x)
{
    return route_body_bytes_max(routes, arg, x);
}

static void on_request(void *arg, struct exchange *x)
{
    route_request(routes, arg, x);
}

/* Closing waits for two things: the pool reads exchanges of the server, and answers come to the front. */
static void end_if_over(struct front *f)
{
    if (!f->closing)
        return;
    if (f->server != NULL && !webhooks_in_pool(f->webhooks)) {
        server_close(f->server);
        f->server = NULL;
    }
    if (f->server != NULL || f->pages > 0 || webhooks_under_way(f->webhooks))
        return;
    webhooks_free(f->webhooks);
    buf_fini(&f->metrics);
    free(f);
}

static void on_webhook_end(void *arg)
{
    end_if_over(arg);
}

enum status front_open(uv_loop_t *loop, const struct server_config *config, const struct front_hooks *hooks,
                       const struct front_parts *parts, struct front **ret, struct err *e)
{
    struct front *f = calloc(1, sizeof *f);
    if (f == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    f->hooks = *hooks;
    buf_init(&f->metrics, METRICS_BYTES_MAX);
    struct server_config own = *config;
    own.on_header = on_header;
    own.on_request = on_request;
    own.arg = f;
    f->store = parts->store;
    const struct webhooks_config webhooks = { loop, parts->store, parts->inbox, parts->transport, on_webhook_end, f };
    enum status st = webhooks_open(&webhooks, &f->webhooks, e);
    if (st == OK)
        st = server_open(loop, &own, &f->server, e);
    if (st != OK) {
        webhooks_free(f->webhooks);
        free(f);
        return st;
    }
    *ret = f;
    return OK;
}

void front_address(const struct front *f, char *ret, size_t bytes)
{
    server_address(f->server, ret, bytes);
}

const struct server_stats *front_stats(const struct front *f)
{
    return server_stats(f->server);
}

const struct webhook_stats *front_webhook_stats(const struct front *f)
{
    return webhooks_stats(f->webhooks);
}

void front_set_sources(struct front *f, struct sources *sources)
{
    webhooks_set_sources(f->webhooks, sources);
}

void front_close(struct front *f)
{
    if (f == NULL)
        return;
    f->closing = true;
    webhooks_close(f->webhooks);
    end_if_over(f);
}
