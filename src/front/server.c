#include "followupd/front/server.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "followupd/base/clock.h"
#include "followupd/base/list.h"
#include "followupd/base/listener.h"

#define POOL_BYTES       ((size_t)8 * 1024) /* request line, headers and read buffer of a connection */
#define PLACES_SPARE     64                 /* connections that come before those cut for them are gone */
#define DESCRIPTORS_ELSE 512                /* of the process, beside connections */
#define SWEEPS_A_TIMEOUT 4
#define SWEEP_MS_MIN     10
#define SWEEP_MS_MAX     500

struct server {
    struct server_config config;
    struct MHD_Daemon *daemon;
    int listener;
    uv_poll_t poll;          /* the daemon's epoll descriptor */
    uv_idle_t again;         /* the daemon has work without a descriptor telling: bytes left in a buffer */
    uv_timer_t sweep;        /* deadlines */
    struct list connections; /* those that wait for their client: the longest wait first */
    struct server_stats stats;
    unsigned handles_open;
};

/* What the client owes: the first request's header, the next request, its header, or to take the answer. */
enum phase { CONNECTED, IDLE, HEADER, ANSWER };

struct exchange {
    struct server *server;
    struct MHD_Connection *mhd;
    const char *method, *path;
    bool has_body;
    enum MHD_Result result;
    bool answered;
};

struct connection {
    struct list node;
    int fd; /* libmicrohttpd's */
    enum phase phase;
    struct mono deadline;
    bool cut;
};

/* --- the loop and libmicrohttpd ------------------------------------------------------------------------------- */

static void run(struct server *s);

static void again_on_idle(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    run(idle->data);
}

static void run(struct server *s)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    MHD_run(s->daemon);
    /* It has no time limits of its own, so the answer is either "now" or "when a descriptor tells". */
    if (MHD_get_timeout(s->daemon, &wait_ms) == MHD_YES && wait_ms == 0)
        uv_idle_start(&s->again, again_on_idle);
}

static void poll_on_event(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

/* --- connections and their deadlines -------------------------------------------------------------------------- */

static void cut(struct connection *c)
{
    c->cut = true;
    shutdown(c->fd, SHUT_RDWR); /* libmicrohttpd sees the end and closes */
}

static void expect(struct connection *c, enum phase phase, int64_t within_ms)
{
    c->phase = phase;
    c->deadline = mono_add(mono_now(), within_ms);
}

static void make_room(struct server *s)
{
    list_for_each (node, &s->connections) {
        struct connection *c = container_of(node, struct connection, node);
        if (c->cut || c->phase == ANSWER)
            continue;
        cut(c);
        s->stats.evicted++;
        return;
    }
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **slot, enum MHD_ConnectionNotificationCode what)
{
    struct server *s = arg;
    struct connection *c = *slot;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        c = calloc(1, sizeof *c);
        if (c == NULL)
            return; /* its requests are refused */
        c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        expect(c, CONNECTED, s->config.header_timeout_ms);
        *slot = c;
        if (s->stats.connections >= s->config.connections_max)
            make_room(s);
        list_append(&s->connections, &c->node);
        s->stats.connections++;
    } else if (c != NULL) {
        list_remove(&c->node);
        free(c);
        *slot = NULL;
        s->stats.connections--;
    }
}

static struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

/* Called with the request line. What it answers is the first value of *request. */
static void *on_request_line(void *arg, const char *uri, struct MHD_Connection *mhd)
{
    struct server *s = arg;
    struct connection *c = connection_of(mhd);
    (void)uri;
    if (c != NULL && c->phase == IDLE)
        expect(c, HEADER, s->config.header_timeout_ms);
    return NULL;
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode why)
{
    struct server *s = arg;
    struct connection *c = connection_of(mhd);
    (void)why;
    *request = NULL;
    if (c == NULL)
        return;
    expect(c, IDLE, s->config.idle_timeout_ms);
    list_remove(&c->node);
    list_append(&s->connections, &c->node);
}

static void sweep_on_timer(uv_timer_t *timer)
{
    struct server *s = timer->data;
    struct mono now = mono_now();
    list_for_each (node, &s->connections) {
        struct connection *c = container_of(node, struct connection, node);
        if (c->cut || !mono_reached(c->deadline, now))
            continue;
        cut(c);
        s->stats.late++;
    }
}

/* --- one exchange --------------------------------------------------------------------------------------------- */

const char *exchange_method(const struct exchange *x)
{
    return x->method;
}

const char *exchange_path(const struct exchange *x)
{
    return x->path;
}

bool exchange_has_body(const struct exchange *x)
{
    return x->has_body;
}

void exchange_answer(struct exchange *x, const struct answer *answer)
{
    assert(!x->answered && answer->http_status >= 200 && answer->http_status < 600);
    x->answered = true;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body_bytes, (void *)answer->body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return; /* out of memory: the connection is closed */
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (answer->allow != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
    x->result = MHD_queue_response(x->mhd, answer->http_status, response);
    MHD_destroy_response(response);
    if (x->result == MHD_YES)
        x->server->stats.answers[answer->http_status / 100]++;
}

static bool announces_body(struct MHD_Connection *mhd)
{
    const char *length = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL ||
           (length != NULL && length[strspn(length, "0")] != '\0');
}

/* Runs twice a request. Answering at the first call is refusing to read a body, and ends the connection; so a request
 * without one is answered at the second. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *path, const char *method,
                                  const char *version, const char *bytes, size_t *count, void **request)
{
    struct server *s = arg;
    struct connection *c = connection_of(mhd);
    bool has_body = announces_body(mhd);
    (void)version;
    (void)bytes;
    (void)count;
    if (c == NULL)
        return MHD_NO;
    if (*request == NULL && !has_body) {
        *request = c;
        return MHD_YES;
    }
    struct exchange x = { s, mhd, method, path, has_body, MHD_NO, false };
    expect(c, ANSWER, s->config.answer_timeout_ms);
    s->config.on_request(s->config.arg, &x);
    assert(x.answered);
    return x.result;
}

/* --- start and end -------------------------------------------------------------------------------------------- */

static enum status start_daemon(struct server *s, struct err *e)
{
    const struct server_config *c = &s->config;
    unsigned address_max = c->address_connections_max < c->connections_max ? (unsigned)c->address_connections_max : 0;
    s->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, s->listener,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)c->connections_max + PLACES_SPARE,
                                 MHD_OPTION_PER_IP_CONNECTION_LIMIT, address_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 POOL_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                                 s, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_URI_LOG_CALLBACK,
                                 on_request_line, s, MHD_OPTION_END);
    return s->daemon != NULL ? OK : err_set(e, E_IO, "the HTTP server does not start: %s", strerror(errno));
}

static uint64_t sweep_ms(const struct server_config *c)
{
    int64_t ms = c->header_timeout_ms < c->answer_timeout_ms ? c->header_timeout_ms : c->answer_timeout_ms;
    ms = (c->idle_timeout_ms < ms ? c->idle_timeout_ms : ms) / SWEEPS_A_TIMEOUT;
    return (uint64_t)(ms < SWEEP_MS_MIN ? SWEEP_MS_MIN : ms > SWEEP_MS_MAX ? SWEEP_MS_MAX : ms);
}

static enum status watch(uv_loop_t *loop, struct server *s, struct err *e)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int failed = info != NULL ? uv_poll_init(loop, &s->poll, info->epoll_fd) : UV_EINVAL;
    if (failed != 0) /* no handle is open yet, so that nothing must be closed */
        return err_set(e, E_IO, "the HTTP server cannot be watched: %s", uv_strerror(failed));
    uv_poll_start(&s->poll, UV_READABLE, poll_on_event);
    uv_idle_init(loop, &s->again);
    uv_timer_init(loop, &s->sweep);
    uv_timer_start(&s->sweep, sweep_on_timer, sweep_ms(&s->config), sweep_ms(&s->config));
    s->poll.data = s->again.data = s->sweep.data = s;
    s->handles_open = 3;
    return OK;
}

enum status server_open(uv_loop_t *loop, const struct server_config *config, struct server **ret, struct err *e)
{
    struct server *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    *s = (struct server){ .config = *config, .listener = -1 };
    list_init(&s->connections);
    listener_allow(config->connections_max + PLACES_SPARE + DESCRIPTORS_ELSE);
    enum status st = listener_open(config->address, &s->listener, e);
    if (st == OK)
        st = start_daemon(s, e);
    if (st == OK)
        st = watch(loop, s, e);
    if (st == OK) {
        *ret = s;
        return OK;
    }
    if (s->daemon != NULL)
        MHD_stop_daemon(s->daemon); /* closes the listener too */
    else if (s->listener >= 0)
        close(s->listener);
    free(s);
    return st;
}

void server_address(const struct server *s, char *ret, size_t bytes)
{
    listener_address(s->listener, ret, bytes);
}

const struct server_stats *server_stats(const struct server *s)
{
    return &s->stats;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct server *s = handle->data;
    if (--s->handles_open == 0)
        free(s);
}

void server_close(struct server *s)
{
    uv_close((uv_handle_t *)&s->poll, on_handle_closed);
    uv_close((uv_handle_t *)&s->again, on_handle_closed);
    uv_close((uv_handle_t *)&s->sweep, on_handle_closed);
    MHD_stop_daemon(s->daemon);
}
