#include "followupd/app/service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "followupd/base/clock.h"
#include "followupd/base/list.h"
#include "followupd/base/log.h"

static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

struct service {
    struct service_events events;
    uv_signal_t signal[COUNT_OF(signals)];
    uv_timer_t watchdog;
    unsigned handles_open;
    bool stop_asked;
};

static void on_signal(uv_signal_t *handle, int number)
{
    struct service *s = handle->data;
    if (number == SIGHUP) {
        s->events.on_reload(s->events.arg);
        return;
    }
    bool now = s->stop_asked;
    s->stop_asked = true;
    s->events.on_stop(s->events.arg, now);
}

static void on_watchdog(uv_timer_t *handle)
{
    struct service *s = handle->data;
    if (s->events.is_alive(s->events.arg))
        sd_notify(0, "WATCHDOG=1");
    else
        log_error("watchdog_withheld", kv("reason", "the engine has not moved"));
}

static enum status open_signals(uv_loop_t *loop, struct service *s)
{
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        if (uv_signal_init(loop, &s->signal[i]) != 0)
            return E_IO;
        s->signal[i].data = s;
        s->handles_open++;
        if (uv_signal_start(&s->signal[i], on_signal, signals[i]) != 0)
            return E_IO;
        uv_unref((uv_handle_t *)&s->signal[i]);
    }
    return OK;
}

static void start_watchdog(struct service *s)
{
    uint64_t usec = 0;
    if (sd_watchdog_enabled(0, &usec) <= 0)
        return;
    uint64_t third_ms = usec / 3000;
    uv_timer_start(&s->watchdog, on_watchdog, third_ms, third_ms > 0 ? third_ms : 1);
    uv_unref((uv_handle_t *)&s->watchdog);
}

enum status service_open(uv_loop_t *loop, const struct service_events *events, struct service **ret, struct err *e)
{
    struct service *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(e, E_NOMEM, "service: out of memory");
    s->events = *events;
    if (uv_timer_init(loop, &s->watchdog) == 0) {
        s->watchdog.data = s;
        s->handles_open++;
    }
    enum status st = open_signals(loop, s);
    if (st != OK) {
        service_close(s);
        return err_set(e, st, "service: signals cannot be watched");
    }
    start_watchdog(s);
    *ret = s;
    return OK;
}

void service_ready(struct service *s, const char *status_line)
{
    (void)s;
    sd_notifyf(0, "READY=1\nSTATUS=%s", status_line);
}

void service_waiting(struct service *s, const char *status_line, int64_t longer_ms)
{
    (void)s;
    sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%lld\nSTATUS=%s", (long long)longer_ms * 1000, status_line);
}

void service_stopping(struct service *s)
{
    (void)s;
    sd_notify(0, "STOPPING=1\nSTATUS=draining");
}

void service_reloading(struct service *s)
{
    (void)s;
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)mono_now_us());
}

void service_status(struct service *s, const char *status_line)
{
    (void)s;
    sd_notifyf(0, "STATUS=%s", status_line);
}

static void on_closed(uv_handle_t *handle)
{
    struct service *s = handle->data;
    if (--s->handles_open == 0)
        free(s);
}

void service_close(struct service *s)
{
    if (s == NULL)
        return;
    if (s->handles_open == 0) {
        free(s);
        return;
    }
    if (s->watchdog.data != NULL)
        uv_close((uv_handle_t *)&s->watchdog, on_closed);
    for (size_t i = 0; i < COUNT_OF(signals); i++)
        if (s->signal[i].data != NULL)
            uv_close((uv_handle_t *)&s->signal[i], on_closed);
}
