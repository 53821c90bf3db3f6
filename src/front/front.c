#include "followupd/front/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/buf.h"
#include "followupd/base/clock.h"
#include "followupd/front/metrics.h"
#include "followupd/front/route.h"

#define REASONS_BYTES_MAX 400

struct front {
    struct server *server;
    struct front_hooks hooks;
    struct figures figures; /* as read last; the histograms are in `metrics` only */
    struct buf metrics;     /* those figures as text; empty: they could not be printed */
    struct mono old_at;     /* when both are read anew */
};

static void look(struct front *f)
{
    struct mono now = mono_now();
    if (!mono_reached(f->old_at, now))
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

static void answer_health(void *context, struct exchange *x)
{
    static const char text[] = "{\"status\":\"ok\"}\n";
    (void)context;
    answer_text(x, "application/json", text, sizeof text - 1);
}

static void add_reason(char *reasons, const char *reason)
{
    size_t used = strlen(reasons);
    snprintf(reasons + used, REASONS_BYTES_MAX - used, "%s\"%s\"", used > 0 ? "," : "", reason);
}

static void answer_ready(void *context, struct exchange *x)
{
    static const char text[] = "{\"status\":\"ready\"}\n";
    struct front *f = context;
    const struct figures *now = &f->figures;
    char reasons[REASONS_BYTES_MAX] = "", more[REASONS_BYTES_MAX + 20];
    look(f);
    if (now->draining > 0)
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

static void answer_metrics(void *context, struct exchange *x)
{
    struct front *f = context;
    look(f);
    if (f->metrics.used > 0)
        answer_text(x, "text/plain; version=0.0.4; charset=utf-8", f->metrics.data, f->metrics.used);
    else
        route_problem(x, 500, "Internal Server Error", "the figures cannot be printed", "");
}

/* --- life ----------------------------------------------------------------------------------------------------- */

static const struct route routes[] = {
    { "GET", "/healthz", answer_health },
    { "GET", "/readyz", answer_ready },
    { "GET", "/metrics", answer_metrics },
    { NULL, NULL, NULL },
};

static void on_request(void *arg, struct exchange *x)
{
    route_request(routes, arg, x);
}

enum status front_open(uv_loop_t *loop, const struct server_config *config, const struct front_hooks *hooks,
                       struct front **ret, struct err *e)
{
    struct front *f = calloc(1, sizeof *f);
    if (f == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    f->hooks = *hooks;
    buf_init(&f->metrics, METRICS_BYTES_MAX);
    struct server_config own = *config;
    own.on_request = on_request;
    own.arg = f;
    enum status st = server_open(loop, &own, &f->server, e);
    if (st != OK) {
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

void front_close(struct front *f)
{
    if (f == NULL)
        return;
    server_close(f->server); /* no request comes after it */
    buf_fini(&f->metrics);
    free(f);
}
