#include "server.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "followupd/base/listener.h"

#define POOL_BYTES      (8u * 1024) /* request line, headers and read buffer of a connection */
#define ANSWER_BYTES    (64u * 1024)
#define SWEEP_MS        500
#define DRAIN_SWEEP_MS  20
#define DESCRIPTORS_MIN (SERVER_CONNECTIONS_MAX + 64)

struct server {
    uv_loop_t *loop; /* borrowed */
    const struct server_route *routes;
    void *context; /* of the routes */
    struct MHD_Daemon *daemon;
    int listener;
    uv_poll_t poll;   /* the daemon's epoll descriptor */
    uv_idle_t again;  /* the daemon has work without a descriptor telling: a resumed request, bytes left in a buffer */
    uv_timer_t sweep; /* deadlines, silent clients that went away, the drain */
    unsigned handles;
    struct list connections;
    struct server_stats stats;
    bool draining;
    struct mono drain_until;
    void (*on_stopped)(void *context);
    void *stopped_context;
};

struct connection {
    struct list node;
    int fd; /* libmicrohttpd's */
    struct mono deadline;
    bool waits;                /* for bytes of the client, so that the deadline counts */
    struct exchange *exchange; /* NULL: between two requests */
};

enum phase { READING, HELD, READY };

struct exchange {
    struct server *server;
    struct connection *connection;
    struct MHD_Connection *mhd;
    const struct server_route *route; /* NULL: none for this method and path */
    char *path;                       /* owned */
    char method[16];
    bool path_known;
    struct buf body;
    bool too_large;
    enum phase phase;
    bool handled, suspended, silent;
    struct mono silent_until;
    int64_t delay_ms;
    uv_timer_t delay;
    bool delay_open;

    bool cut;
    int http_status;
    struct buf answer;
    int64_t retry_after_s;
    struct {
        const char *name;
        char value[96];
    } headers[EXCHANGE_HEADERS_MAX];
    size_t headers_count;

    void *owned;
    void (*owned_free)(void *owned);
};

/* ---- the loop and libmicrohttpd ---- */

static void run(struct server *s);

static void again_on_idle(uv_idle_t *idle)
{
    struct server *s = container_of(idle, struct server, again);
    uv_idle_stop(idle);
    run(s);
}

static void run_soon(struct server *s)
{
    uv_idle_start(&s->again, again_on_idle);
}

static void run(struct server *s)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    MHD_run(s->daemon);
    /* It has no time limits of its own, so the answer is either "now" or "when a descriptor tells". */
    if (MHD_get_timeout(s->daemon, &wait_ms) == MHD_YES && wait_ms == 0)
        run_soon(s);
}

static void poll_on_event(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(container_of(poll, struct server, poll));
}

/* ---- one exchange, in the order of its life ---- */

static struct exchange *exchange_new(struct server *s, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct exchange *x = calloc(1, sizeof *x);
    if (x == NULL || info == NULL || info->socket_context == NULL) {
        free(x);
        return NULL;
    }
    x->server = s;
    x->mhd = mhd;
    x->connection = info->socket_context;
    x->connection->exchange = x;
    x->retry_after_s = -1;
    buf_init(&x->body, SERVER_BODY_BYTES_MAX);
    buf_init(&x->answer, ANSWER_BYTES);
    return x;
}

static void exchange_on_closed(uv_handle_t *handle)
{
    free(container_of(handle, struct exchange, delay));
}

static void exchange_free(struct exchange *x)
{
    if (x->owned_free != NULL)
        x->owned_free(x->owned);
    buf_fini(&x->body);
    buf_fini(&x->answer);
    free(x->path);
    if (x->delay_open)
        uv_close((uv_handle_t *)&x->delay, exchange_on_closed);
    else
        free(x);
}

static void exchange_ready_now(struct exchange *x)
{
    x->phase = READY;
    if (!x->suspended)
        return; /* we are inside its handler; on_request goes on with it */
    x->suspended = false;
    MHD_resume_connection(x->mhd);
    run_soon(x->server);
}

static void delay_on_timer(uv_timer_t *timer)
{
    exchange_ready_now(container_of(timer, struct exchange, delay));
}

static void exchange_ready(struct exchange *x)
{
    assert(x->phase == HELD);
    if (x->delay_ms == 0) {
        exchange_ready_now(x);
        return;
    }
    uv_timer_init(x->server->loop, &x->delay);
    x->delay_open = true;
    uv_update_time(x->server->loop);
    uv_timer_start(&x->delay, delay_on_timer, (uint64_t)x->delay_ms, 0);
}

const struct buf *exchange_body(const struct exchange *x)
{
    return &x->body;
}

const char *exchange_header(const struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, name);
}

const char *exchange_query(const struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->mhd, MHD_GET_ARGUMENT_KIND, name);
}

const char *exchange_path(const struct exchange *x)
{
    return x->path;
}

const char *exchange_method(const struct exchange *x)
{
    return x->method;
}

const void *exchange_route_data(const struct exchange *x)
{
    return x->route->data;
}

void exchange_own(struct exchange *x, void *owned, void (*owned_free)(void *owned))
{
    x->owned = owned;
    x->owned_free = owned_free;
}

void *exchange_owned(const struct exchange *x)
{
    return x->owned;
}

void exchange_delay(struct exchange *x, int64_t delay_ms)
{
    x->delay_ms = delay_ms;
}

void exchange_retry_after(struct exchange *x, int64_t retry_after_s)
{
    x->retry_after_s = retry_after_s;
}

void exchange_answer_header(struct exchange *x, const char *name, const char *value)
{
    assert(x->headers_count < EXCHANGE_HEADERS_MAX);
    x->headers[x->headers_count].name = name;
    snprintf(x->headers[x->headers_count++].value, sizeof x->headers[0].value, "%s", value);
}

void exchange_answer(struct exchange *x, int http_status, const char *json)
{
    x->http_status = http_status;
    if (buf_text(&x->answer, json) != OK)
        x->cut = true; /* out of memory: half an answer would be worse than none */
    exchange_ready(x);
}

void exchange_error(struct exchange *x, int http_status, const char *text)
{
    json_t *error = json_pack("{s:s}", "error", text);
    char *json = error != NULL ? json_dumps(error, JSON_COMPACT) : NULL;
    exchange_answer(x, http_status, json != NULL ? json : "{\"error\":\"the request cannot be answered\"}");
    free(json);
    json_decref(error);
}

void exchange_cut(struct exchange *x)
{
    x->cut = true;
    exchange_ready(x);
}

void exchange_silence(struct exchange *x)
{
    x->silent = true;
    x->silent_until = mono_add(mono_now(), SERVER_SILENT_MS);
}

static enum MHD_Result send_answer(struct exchange *x)
{
    struct server *s = x->server;
    if (x->cut) {
        s->stats.cut++;
        return MHD_NO; /* libmicrohttpd closes the connection at once */
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(x->answer.used, x->answer.data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "application/json");
    if (x->retry_after_s >= 0) {
        char seconds[24];
        snprintf(seconds, sizeof seconds, "%lld", (long long)x->retry_after_s);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
    for (size_t i = 0; i < x->headers_count; i++)
        MHD_add_response_header(response, x->headers[i].name, x->headers[i].value);
    if (s->draining)
        MHD_add_response_header(response, "Connection", "close");
    s->stats.answers[x->http_status / 100 % 6]++;
    enum MHD_Result result = MHD_queue_response(x->mhd, (unsigned)x->http_status, response);
    MHD_destroy_response(response);
    return result;
}

/* Segment by segment; "*" is any one that is not empty. */
static bool path_fits(const char *pattern, const char *path)
{
    while (*pattern != '\0') {
        if (*pattern == '*' && *path != '\0' && *path != '/') {
            path += strcspn(path, "/");
            pattern++;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static const struct server_route *find_route(const struct server *s, const char *method, const char *path,
                                             bool *ret_path_known)
{
    *ret_path_known = false;
    for (const struct server_route *r = s->routes; r->method != NULL; r++) {
        if (!path_fits(r->path, path))
            continue;
        *ret_path_known = true;
        if (strcmp(r->method, method) == 0)
            return r;
    }
    return NULL;
}

static void handle(struct exchange *x)
{
    struct server_stats *stats = &x->server->stats;
    x->handled = true;
    x->phase = HELD;
    x->connection->waits = false;
    stats->requests++;
    if (++stats->in_flight > stats->in_flight_peak)
        stats->in_flight_peak = stats->in_flight;
    if (x->too_large)
        exchange_error(x, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than 1048576 bytes");
    else if (x->route == NULL && x->path_known)
        exchange_error(x, MHD_HTTP_METHOD_NOT_ALLOWED, "this path takes another method");
    else if (x->route == NULL)
        exchange_error(x, MHD_HTTP_NOT_FOUND, "no such path; there are /send /faults /stats /healthz");
    else
        x->route->handle(x->server->context, x);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url, const char *method,
                                  const char *version, const char *bytes, size_t *count, void **request)
{
    struct exchange *x = *request;
    (void)version;
    if (x == NULL) {
        *request = x = exchange_new(context, mhd);
        if (x == NULL)
            return MHD_NO;
        x->path = strdup(url);
        if (x->path == NULL)
            return MHD_NO; /* on_completed frees it */
        snprintf(x->method, sizeof x->method, "%s", method);
        x->route = find_route(x->server, method, url, &x->path_known);
        return MHD_YES;
    }
    if (*count > 0) { /* one too large is read to its end, within its deadline, and not kept */
        if (!x->too_large && buf_add(&x->body, bytes, *count) != OK) {
            x->too_large = true;
            buf_fini(&x->body);
        }
        *count = 0;
        return MHD_YES;
    }
    if (!x->handled)
        handle(x);
    if (x->phase == READY)
        return send_answer(x);
    x->suspended = true;
    MHD_suspend_connection(mhd);
    return MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *request;
    (void)context;
    (void)mhd;
    (void)why;
    if (x == NULL)
        return;
    *request = NULL;
    if (x->handled)
        x->server->stats.in_flight--;
    x->connection->exchange = NULL;
    x->connection->waits = true;
    x->connection->deadline = mono_add(mono_now(), SERVER_IDLE_MS);
    exchange_free(x);
}

/* ---- connections and their deadlines ---- */

static void on_connection(void *context, struct MHD_Connection *mhd, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
    struct server *s = context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        struct connection *c = calloc(1, sizeof *c);
        if (c == NULL)
            return; /* its requests are refused in exchange_new */
        c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        c->deadline = mono_add(mono_now(), SERVER_HEADER_MS);
        c->waits = true;
        list_append(&s->connections, &c->node);
        *slot = c;
        if (++s->stats.connections > s->stats.connections_peak)
            s->stats.connections_peak = s->stats.connections;
    } else if (*slot != NULL) {
        struct connection *c = *slot;
        list_remove(&c->node);
        free(c);
        *slot = NULL;
        s->stats.connections--;
    }
}

/* Called with the request line: for a connection that is kept alive the clock starts anew. */
static void *on_request_line(void *context, const char *uri, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    (void)context;
    (void)uri;
    if (info != NULL && info->socket_context != NULL) {
        struct connection *c = info->socket_context;
        c->deadline = mono_add(mono_now(), SERVER_REQUEST_MS);
    }
    return NULL; /* the first value of *request */
}

static bool client_is_gone(int fd)
{
    char byte;
    ssize_t count = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

static void sweep_connection(struct server *s, struct connection *c, struct mono now)
{
    struct exchange *x = c->exchange;
    if (c->waits && mono_reached(c->deadline, now)) {
        s->stats.deadlines_missed++;
        c->waits = false;
        shutdown(c->fd, SHUT_RDWR); /* libmicrohttpd sees the end and closes */
    }
    if (x == NULL || !x->suspended)
        return;
    bool drained = s->draining && mono_reached(s->drain_until, now);
    if (x->silent && (s->draining || mono_reached(x->silent_until, now) || client_is_gone(c->fd))) {
        x->cut = true;
        exchange_ready_now(x);
    } else if (x->delay_open && drained) {
        uv_timer_stop(&x->delay);
        x->cut = true;
        exchange_ready_now(x);
    }
}

static void finish(struct server *s);

static void sweep_on_timer(uv_timer_t *timer)
{
    struct server *s = container_of(timer, struct server, sweep);
    struct mono now = mono_now();
    list_for_each (node, &s->connections)
        sweep_connection(s, container_of(node, struct connection, node), now);
    if (s->draining && s->stats.in_flight == 0)
        finish(s);
}

/* ---- start and stop ---- */

static enum status start_daemon(struct server *s, struct err *e)
{
    s->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, s->listener,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)POOL_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        s, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, s, MHD_OPTION_END);
    return s->daemon != NULL ? OK : err_set(e, E_IO, "the HTTP server does not start: %s", strerror(errno));
}

static enum status watch(struct server *s, struct err *e)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int failed = info != NULL ? uv_poll_init(s->loop, &s->poll, info->epoll_fd) : UV_EINVAL;
    if (failed != 0) /* no handle is open yet, so that nothing must be closed */
        return err_set(e, E_IO, "the HTTP server cannot be watched: %s", uv_strerror(failed));
    uv_poll_start(&s->poll, UV_READABLE, poll_on_event);
    uv_idle_init(s->loop, &s->again);
    uv_timer_init(s->loop, &s->sweep);
    uv_timer_start(&s->sweep, sweep_on_timer, SWEEP_MS, SWEEP_MS);
    s->handles = 3;
    return OK;
}

enum status server_open(uv_loop_t *loop, const char *address, const struct server_route *routes, void *context,
                        struct server **ret, struct err *e)
{
    struct server *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    *s = (struct server){ .loop = loop, .routes = routes, .context = context, .listener = -1 };
    list_init(&s->connections);
    listener_allow(DESCRIPTORS_MIN);
    enum status st = listener_open(address, &s->listener, e);
    if (st == OK)
        st = start_daemon(s, e);
    if (st == OK)
        st = watch(s, e);
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

void server_stop(struct server *s, void (*on_stopped)(void *context), void *context)
{
    if (s->draining)
        return;
    s->draining = true;
    s->drain_until = mono_add(mono_now(), SERVER_DRAIN_MS);
    s->on_stopped = on_stopped;
    s->stopped_context = context;
    MHD_quiesce_daemon(s->daemon); /* the listener is ours again */
    close(s->listener);
    s->listener = -1;
    uv_timer_start(&s->sweep, sweep_on_timer, DRAIN_SWEEP_MS, DRAIN_SWEEP_MS);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct server *s = handle->data;
    if (--s->handles == 0)
        s->on_stopped(s->stopped_context);
}

/* Nothing is in flight, so nothing is suspended: libmicrohttpd may go. */
static void finish(struct server *s)
{
    uv_handle_t *handles[] = { (uv_handle_t *)&s->poll, (uv_handle_t *)&s->again, (uv_handle_t *)&s->sweep };
    for (size_t i = 0; i < COUNT_OF(handles); i++) {
        handles[i]->data = s;
        uv_close(handles[i], on_handle_closed);
    }
    MHD_stop_daemon(s->daemon);
    s->daemon = NULL;
}

void server_free(struct server *s)
{
    assert(s == NULL || s->daemon == NULL);
    free(s);
}

const struct server_stats *server_stats(const struct server *s)
{
    return &s->stats;
}
