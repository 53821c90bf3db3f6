#include "followupd/front/server.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "followupd/base/buf.h"
#include "followupd/base/clock.h"
#include "followupd/base/list.h"
#include "followupd/base/listener.h"

#define POOL_BYTES        ((size_t)8 * 1024) /* request line, headers and read buffer of a connection */
#define PLACES_SPARE      64                 /* connections that come before those cut for them are gone */
#define DESCRIPTORS_ELSE  512                /* of the process, beside connections */
#define LARGE_BODY_BYTES  (1024 * 1024) /* these have half of the room for bodies, so that small ones always find some */
#define DISCARD_BYTES_MAX (1024 * 1024) /* of a body that is too large, read over so that its answer arrives */
#define SWEEPS_A_TIMEOUT  4
#define SWEEP_MS_MIN      10
#define SWEEP_MS_MAX      500

struct server {
    struct server_config config;
    struct MHD_Daemon *daemon;
    int listener;
    uv_poll_t poll;          /* the daemon's epoll descriptor */
    uv_idle_t again;         /* the daemon has work without a descriptor telling: bytes left in a buffer */
    uv_timer_t sweep;        /* deadlines */
    struct list connections; /* those that wait for their client: the longest wait first */
    struct list exchanges;   /* all that libmicrohttpd knows of */
    size_t large_bytes;      /* of stats.bodies_bytes */
    struct server_stats stats;
    unsigned handles_open;
};

/* What the client owes: the first request's header, the next request, its header, its body, to take the answer; while
 * the answer is made, nothing. */
enum phase { CONNECTED, IDLE, HEADER, BODY, WORK, ANSWER };

/* libmicrohttpd knows it from the request's header to its end, its handler until it has answered: the later frees it. */
struct exchange {
    struct list node;      /* in server->exchanges while libmicrohttpd knows it */
    struct server *server; /* while it is known */
    struct MHD_Connection *mhd;
    const char *method, *path;
    enum body_state body_state;
    struct buf body;
    size_t reserved; /* of the room for bodies, from the header on */
    size_t discarded;
    bool asked, answered, suspended, known;
    enum MHD_Result result;
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
        if (c->cut || c->phase == ANSWER || c->phase == WORK)
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

/* Of a body that is all announced, so that what was begun can end. */
static bool reserve(struct exchange *x, size_t bytes)
{
    struct server *s = x->server;
    bool large = bytes > LARGE_BODY_BYTES;
    if (bytes > s->config.bodies_bytes_max - s->stats.bodies_bytes ||
        (large && bytes + s->large_bytes > s->config.bodies_bytes_max / 2))
        return false;
    x->reserved = bytes;
    s->stats.bodies_bytes += bytes;
    s->large_bytes += large ? bytes : 0;
    return true;
}

static void drop_body(struct exchange *x)
{
    struct server *s = x->server;
    s->stats.bodies_bytes -= x->reserved;
    s->large_bytes -= x->reserved > LARGE_BODY_BYTES ? x->reserved : 0;
    x->reserved = 0;
    buf_fini(&x->body);
}

/* It ended there. The handler may still have to answer. */
static void forget(struct exchange *x)
{
    list_remove(&x->node);
    drop_body(x);
    x->known = false;
    if (!x->asked || x->answered)
        free(x);
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode why)
{
    struct server *s = arg;
    struct connection *c = connection_of(mhd);
    struct exchange *x = *request;
    (void)why;
    *request = NULL;
    if (x != NULL)
        forget(x);
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
        if (c->cut || c->phase == WORK || !mono_reached(c->deadline, now))
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

const char *exchange_header(const struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, name);
}

enum body_state exchange_body(const struct exchange *x)
{
    return x->body_state;
}

const void *exchange_body_bytes(const struct exchange *x, size_t *ret_bytes)
{
    *ret_bytes = x->body.used;
    return x->body.data != NULL ? x->body.data : "";
}

static enum MHD_Result queue_answer(struct exchange *x, const struct answer *answer)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body_bytes, (void *)answer->body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO; /* out of memory: the connection is closed */
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    for (const struct answer_header *h = answer->headers; h != NULL && h->name != NULL; h++)
        MHD_add_response_header(response, h->name, h->value);
    if (x->body_state != BODY_NONE && x->body_state != BODY_WHOLE) /* who knows where the next request would begin */
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(x->mhd, answer->http_status, response);
    MHD_destroy_response(response);
    if (result == MHD_YES)
        x->server->stats.answers[answer->http_status / 100]++;
    return result;
}

void exchange_answer(struct exchange *x, const struct answer *answer)
{
    assert(!x->answered && answer->http_status >= 200 && answer->http_status < 600);
    x->answered = true;
    if (!x->known) {
        free(x);
        return;
    }
    struct server *s = x->server;
    struct connection *c = connection_of(x->mhd);
    expect(c, ANSWER, s->config.answer_timeout_ms);
    x->result = queue_answer(x, answer);
    if (!x->suspended)
        return; /* on_request below still has it */
    x->suspended = false;
    if (x->result == MHD_NO)
        cut(c);
    MHD_resume_connection(x->mhd);
    uv_idle_start(&s->again, again_on_idle);
}

/* --- its body -------------------------------------------------------------------------------------------------- */

struct lengths {
    unsigned told;      /* how often a length is told */
    bool coded;         /* chunked */
    bool odd;           /* another coding */
    const char *length; /* of Content-Length */
};

static enum MHD_Result see_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct lengths *l = arg;
    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        l->told++;
        l->length = value;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        l->told++;
        l->coded = true;
        l->odd = value == NULL || strcasecmp(value, "chunked") != 0;
    }
    return MHD_YES;
}

/* Whether a body follows that is to be read; body_state says what is known of it now. */
static bool expect_body(struct exchange *x)
{
    struct server *s = x->server;
    struct lengths l = { 0 };
    MHD_get_connection_values(x->mhd, MHD_HEADER_KIND, see_header, &l);
    if (l.told > 1 || l.odd) {
        x->body_state = BODY_SMUGGLED;
        return false;
    }
    if (l.told == 0 || (!l.coded && l.length[strspn(l.length, "0")] == '\0'))
        return false;
    size_t most = s->config.on_header(s->config.arg, x);
    unsigned long long announced = l.coded ? 0 : strtoull(l.length, NULL, 10);
    if (most == 0)
        x->body_state = BODY_UNTAKEN;
    else if (announced > most)
        x->body_state = BODY_TOO_LARGE;
    else if (!reserve(x, l.coded ? most : announced))
        x->body_state = BODY_NO_ROOM;
    else
        x->body_state = BODY_WHOLE;
    buf_init(&x->body, x->reserved); /* it never grows beyond what is counted */
    return x->body_state == BODY_WHOLE;
}

/* False: enough. libmicrohttpd can answer at the end of a body alone, so that of one that is not kept is read over. */
static bool take_body(struct exchange *x, const char *bytes, size_t count)
{
    if (x->body_state == BODY_WHOLE) {
        enum status st = buf_add(&x->body, bytes, count);
        if (st == OK)
            return true;
        drop_body(x);
        x->body_state = st == E_LIMIT ? BODY_TOO_LARGE : BODY_NO_ROOM;
    }
    x->discarded += count;
    return x->discarded <= DISCARD_BYTES_MAX;
}

/* --- its request ----------------------------------------------------------------------------------------------- */

static struct exchange *exchange_new(struct server *s, struct MHD_Connection *mhd, const char *method, const char *path)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    *x = (struct exchange){ .server = s, .mhd = mhd, .method = method, .path = path, .known = true };
    list_append(&s->exchanges, &x->node);
    return x;
}

static enum MHD_Result ask(struct exchange *x, struct connection *c)
{
    struct server *s = x->server;
    c->phase = WORK;
    x->asked = true;
    s->config.on_request(s->config.arg, x);
    if (x->answered)
        return x->result;
    x->suspended = true;
    MHD_suspend_connection(x->mhd);
    return MHD_YES;
}

/* Runs with the header, with every piece of the body, and at the end of it; then once more when it was suspended. To
 * answer at the first call is to refuse to read a body, and ends the connection; so a request without one is answered at
 * the end, and one whose body is not read at once. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *path, const char *method,
                                  const char *version, const char *bytes, size_t *count, void **request)
{
    struct server *s = arg;
    struct connection *c = connection_of(mhd);
    struct exchange *x = *request;
    (void)version;
    if (c == NULL)
        return MHD_NO;
    if (x == NULL) {
        x = exchange_new(s, mhd, method, path);
        if (x == NULL)
            return MHD_NO;
        *request = x;
        if (expect_body(x))
            expect(c, BODY, s->config.body_timeout_ms);
        return x->body_state == BODY_NONE || x->body_state == BODY_WHOLE ? MHD_YES : ask(x, c);
    }
    if (*count > 0) {
        bool more = take_body(x, bytes, *count);
        *count = 0;
        if (more)
            return MHD_YES;
        /* It is asked, so that it can be counted; no answer leaves amid a body: the connection is closed. */
    }
    return x->asked ? x->result : ask(x, c);
}

/* --- start and end -------------------------------------------------------------------------------------------- */

static enum status start_daemon(struct server *s, struct err *e)
{
    const struct server_config *c = &s->config;
    unsigned address_max = c->address_connections_max < c->connections_max ? (unsigned)c->address_connections_max : 0;
    s->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, s->listener,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)c->connections_max + PLACES_SPARE, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        address_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, s, MHD_OPTION_END);
    return s->daemon != NULL ? OK : err_set(e, E_IO, "the HTTP server does not start: %s", strerror(errno));
}

static uint64_t sweep_ms(const struct server_config *c)
{
    int64_t ms = c->header_timeout_ms < c->answer_timeout_ms ? c->header_timeout_ms : c->answer_timeout_ms;
    ms = c->body_timeout_ms < ms ? c->body_timeout_ms : ms;
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
    list_init(&s->exchanges);
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
    list_for_each (node, &s->exchanges) {
        struct exchange *x = container_of(node, struct exchange, node);
        if (x->suspended)
            MHD_resume_connection(x->mhd); /* it may not be stopped with one that is suspended */
        x->suspended = false;
    }
    MHD_stop_daemon(s->daemon); /* forgets every exchange */
}
