#include "followupd/app/pulse.h"

#include "followupd/base/clock.h"

/* Runs just before the loop waits: here a turn ends. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct pulse *p = prepare->data;
    uint64_t now_ns = uv_hrtime(), idle_ns = uv_metrics_idle_time(prepare->loop);
    if (p->turned_ns != 0) {
        int64_t worked_us = (int64_t)(now_ns - p->turned_ns - (idle_ns - p->idle_ns)) / 1000;
        histogram_add(&p->turns, worked_us);
        peak_add(&p->longest, worked_us > 0 ? (uint64_t)worked_us : 0, mono_now().ms);
    }
    p->turned_ns = now_ns;
    p->idle_ns = idle_ns;
}

void pulse_open(uv_loop_t *loop, struct pulse *p)
{
    *p = (struct pulse){ 0 };
    uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
    uv_prepare_init(loop, &p->prepare);
    p->prepare.data = p;
    uv_prepare_start(&p->prepare, on_prepare);
    uv_unref((uv_handle_t *)&p->prepare);
}

void pulse_close(struct pulse *p)
{
    uv_close((uv_handle_t *)&p->prepare, NULL);
}
