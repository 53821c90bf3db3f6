#include "followupd/app/report.h"

#include <math.h>
#include <stdlib.h>

#include "followupd/base/buf.h"
#include "followupd/base/list.h"
#include "followupd/base/log.h"
#include "followupd/front/metrics.h"

#define WINDOW_TURNS (60000 / REPORT_MS)
#define HISTOGRAMS   5

/* A histogram as it was one and two windows ago, and what it counted since then. */
struct window {
    struct histogram older, newer, recent;
};

struct report {
    struct store *store;
    void (*figures)(void *arg, struct figures *ret);
    void *arg;
    uv_timer_t timer;
    bool under_way;
    unsigned turns; /* of this window */
    struct window windows[HISTOGRAMS];
    struct buf text;
    double reply_alerts; /* NAN: no report was answered yet */
};

static void look_back(struct window *w, bool turn, const struct histogram **figure)
{
    histogram_since(*figure, &w->older, &w->recent);
    if (turn) {
        w->older = w->newer;
        w->newer = **figure;
    }
    *figure = &w->recent;
}

static void on_reported(void *arg, enum status st, const struct err *e, int64_t reply_alerts)
{
    struct report *r = arg;
    r->under_way = false;
    if (st == OK)
        r->reply_alerts = (double)reply_alerts;
    if (st != OK && st != E_GONE && st != E_CANCELLED)
        log_warn("report_failed", kv("status", status_text(st)), kv("reason", e->text));
}

static void on_timer(uv_timer_t *timer)
{
    struct report *r = timer->data;
    struct figures f;
    if (r->under_way || !r->store->ops->is_up(r->store))
        return;
    r->figures(r->arg, &f);
    bool turn = ++r->turns == WINDOW_TURNS;
    const struct histogram **const histograms[HISTOGRAMS] = { &f.lateness, &f.claim, &f.send, &f.record, &f.turn };
    for (size_t i = 0; i < HISTOGRAMS; i++)
        look_back(&r->windows[i], turn, histograms[i]);
    if (turn)
        r->turns = 0;
    buf_clear(&r->text);
    enum status st = metrics_json(&f, &r->text);
    if (st == OK)
        st = r->store->ops->report(r->store, r->text.data, on_reported, r);
    r->under_way = st == OK;
    if (st != OK && st != E_GONE)
        log_warn("report_failed", kv("status", status_text(st)));
}

enum status report_open(uv_loop_t *loop, struct store *store, void (*figures)(void *arg, struct figures *ret),
                        void *arg, struct report **ret, struct err *e)
{
    struct report *r = calloc(1, sizeof *r);
    if (r == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    *r = (struct report){ .store = store, .figures = figures, .arg = arg, .reply_alerts = NAN };
    buf_init(&r->text, METRICS_BYTES_MAX);
    uv_timer_init(loop, &r->timer);
    r->timer.data = r;
    uv_timer_start(&r->timer, on_timer, REPORT_MS, REPORT_MS);
    *ret = r;
    return OK;
}

double report_reply_alerts(const struct report *r)
{
    return r->reply_alerts;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct report *r = handle->data;
    buf_fini(&r->text);
    free(r);
}

void report_close(struct report *r)
{
    uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}
