#include "followupd/app/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "followupd/base/list.h"
#include "followupd/base/log.h"

#define TELL_AGAIN_MS 100

static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

struct service {
    struct service_events events;
    uv_signal_t signal[COUNT_OF(signals)];
    uv_timer_t watchdog, again;
    unsigned handles_open;
    bool stop_asked;
    int socket; /* -1: nobody wants to know */
    struct sockaddr_un address;
    socklen_t address_bytes;
    char state[64]; /* not told yet; "": it is */
    char status[200];
};

/* --- what systemd is told ---------------------------------------------------------------------------------------- */

/* sd_notify(3) waits while the socket's queue is full, and the loop would with it. */
static void open_socket(struct service *s)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t bytes = path != NULL ? strlen(path) : 0;
    s->socket = -1;
    if (bytes < 2 || bytes >= sizeof s->address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    s->address.sun_family = AF_UNIX;
    memcpy(s->address.sun_path, path, bytes);
    if (path[0] == '@') /* of the abstract names */
        s->address.sun_path[0] = '\0';
    s->address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes);
    s->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* False: not now. */
static bool send_text(const struct service *s, const char *text)
{
    if (s->socket < 0)
        return true;
    const struct sockaddr *to = (const struct sockaddr *)&s->address;
    return sendto(s->socket, text, strlen(text), MSG_NOSIGNAL, to, s->address_bytes) >= 0 ||
           (errno != EAGAIN && errno != ENOBUFS);
}

static void on_again(uv_timer_t *timer);

/* What changes is told until it is taken: the last state, and the last line. */
static void tell(struct service *s, const char *state, const char *status)
{
    char text[sizeof s->state + sizeof s->status + 16];
    if (state != NULL)
        snprintf(s->state, sizeof s->state, "%s\n", state);
    if (status != NULL)
        snprintf(s->status, sizeof s->status, "%s", status);
    snprintf(text, sizeof text, "%sSTATUS=%s", s->state, s->status);
    if (send_text(s, text))
        s->state[0] = '\0';
    else
        uv_timer_start(&s->again, on_again, TELL_AGAIN_MS, 0);
}

static void on_again(uv_timer_t *timer)
{
    tell(timer->data, NULL, NULL);
}

/* --- what it is told --------------------------------------------------------------------------------------------- */

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
        send_text(s, "WATCHDOG=1"); /* it is told again in time */
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
    open_socket(s);
    uv_timer_init(loop, &s->watchdog);
    uv_timer_init(loop, &s->again);
    uv_unref((uv_handle_t *)&s->again);
    s->watchdog.data = s->again.data = s;
    s->handles_open = 2;
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
    tell(s, "READY=1", status_line);
}

void service_waiting(struct service *s, const char *status_line, int64_t longer_ms)
{
    char state[sizeof s->state];
    snprintf(state, sizeof state, "EXTEND_TIMEOUT_USEC=%lld", (long long)longer_ms * 1000);
    tell(s, state, status_line);
}

void service_stopping(struct service *s)
{
    tell(s, "STOPPING=1", "draining");
}

/* systemd's own clock, which stands still while the machine sleeps. */
void service_reloading(struct service *s)
{
    char state[sizeof s->state];
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)uv_hrtime() / 1000);
    tell(s, state, NULL);
}

void service_status(struct service *s, const char *status_line)
{
    tell(s, NULL, status_line);
}

static void on_closed(uv_handle_t *handle)
{
    struct service *s = handle->data;
    if (--s->handles_open > 0)
        return;
    if (s->socket >= 0)
        close(s->socket);
    free(s);
}

void service_close(struct service *s)
{
    if (s == NULL)
        return;
    uv_close((uv_handle_t *)&s->watchdog, on_closed);
    uv_close((uv_handle_t *)&s->again, on_closed);
    for (size_t i = 0; i < COUNT_OF(signals); i++)
        if (s->signal[i].data != NULL)
            uv_close((uv_handle_t *)&s->signal[i], on_closed);
}
