#include "followupd/db/conn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn_internal.h"

/* libpq's socket may change, or be closed and opened again under the same number, in PQconnectPoll. So a watcher is an
 * object of its own that is let go and made anew, never one handle that is pointed elsewhere. */
struct watcher {
    uv_poll_t poll;
    struct db_conn *conn;
    int fd;
};

/* libpq looks a host's name up inside this, and waits for the name server: so it runs on a thread of libuv's. */
struct starting {
    uv_work_t work;
    struct db_conn *conn;
    char *conninfo, *name; /* owned */
    int64_t tcp_user_timeout_ms;
    unsigned first_host;
    PGconn *pg; /* what came of it; NULL: out of memory, or it was called off */
};

static void on_handle_closed(struct db_conn *c);
static void on_io(uv_poll_t *poll, int status, int events);
static void on_soon(uv_idle_t *idle);

/* --- what we wait for ------------------------------------------------------------------------------------------- */

static void watcher_on_closed(uv_handle_t *handle)
{
    struct watcher *w = container_of((uv_poll_t *)handle, struct watcher, poll);
    struct db_conn *c = w->conn;
    free(w);
    on_handle_closed(c);
}

static void unwatch(struct db_conn *c)
{
    if (c->watcher == NULL)
        return;
    uv_poll_stop(&c->watcher->poll);
    uv_close((uv_handle_t *)&c->watcher->poll, watcher_on_closed);
    c->watcher = NULL;
}

static void watch(struct db_conn *c, int events)
{
    if (c->watcher == NULL) {
        struct watcher *w = calloc(1, sizeof *w);
        if (w == NULL) {
            conn_break_soon(c, E_NOMEM, "out of memory");
            return;
        }
        w->conn = c;
        w->fd = PQsocket(c->pg);
        int rc = uv_poll_init(c->loop, &w->poll, w->fd);
        if (rc != 0) {
            free(w);
            conn_break_soon(c, E_IO, uv_strerror(rc));
            return;
        }
        c->watcher = w;
        c->handles_open++;
    }
    int rc = uv_poll_start(&c->watcher->poll, events, on_io);
    if (rc != 0)
        conn_break_soon(c, E_IO, uv_strerror(rc));
}

void conn_watch(struct db_conn *c)
{
    if (c->state != DB_SESSION && c->state != DB_READY)
        return;
    int left = PQflush(c->pg);
    if (left < 0) {
        conn_break_soon(c, E_GONE, PQerrorMessage(c->pg));
        return;
    }
    watch(c, UV_READABLE | (left > 0 ? UV_WRITABLE : 0));
}

static void on_deadline(uv_timer_t *timer)
{
    struct db_conn *c = container_of(timer, struct db_conn, deadline);
    conn_break(c, E_TIMEOUT, c->state == DB_READY ? "no answer in time; connection cut" : "not connected in time");
}

void conn_deadline(struct db_conn *c, int64_t ms)
{
    if (c->state == DB_CLOSING)
        return;
    if (ms > 0) {
        uv_update_time(c->loop);
        uv_timer_start(&c->deadline, on_deadline, (uint64_t)ms, 0);
    } else {
        uv_timer_stop(&c->deadline);
    }
}

/* --- connecting, then the session ------------------------------------------------------------------------------- */

static void step_connect(struct db_conn *c)
{
    unwatch(c);
    switch (PQconnectPoll(c->pg)) {
    case PGRES_POLLING_READING:
        watch(c, UV_READABLE);
        return;
    case PGRES_POLLING_WRITING:
        watch(c, UV_WRITABLE);
        return;
    case PGRES_POLLING_OK:
        break;
    default:
        conn_break(c, E_GONE, "%s", PQerrorMessage(c->pg));
        return;
    }
    if (PQsetnonblocking(c->pg, 1) != 0 || !PQsendQuery(c->pg, c->session_sql)) {
        conn_break(c, E_GONE, "%s", PQerrorMessage(c->pg));
        return;
    }
    c->state = DB_SESSION;
    conn_watch(c);
}

static void session_finish(struct db_conn *c)
{
    if (!c->for_copy && !PQenterPipelineMode(c->pg)) {
        conn_break(c, E_DB, "%s", PQerrorMessage(c->pg));
        return;
    }
    c->state = DB_READY;
    conn_deadline(c, 0);
    c->events.on_up(c->events.arg);
}

static void session_on_input(struct db_conn *c)
{
    while (c->state == DB_SESSION && !PQisBusy(c->pg)) {
        PGresult *res = PQgetResult(c->pg);
        if (res == NULL) {
            session_finish(c);
            return;
        }
        ExecStatusType kind = PQresultStatus(res);
        struct err e;
        enum status st = OK;
        if (kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK && kind != PGRES_EMPTY_QUERY)
            st = conn_result_error(res, &e);
        PQclear(res);
        if (st != OK)
            conn_break(c, st, "setting up the session: %s", e.text);
    }
}

static void step_ready(struct db_conn *c)
{
    if (c->state == DB_SESSION)
        session_on_input(c);
    if (c->state == DB_READY && c->copy != NULL)
        copy_on_input(c);
    else if (c->state == DB_READY)
        query_on_input(c);
    if (c->state == DB_READY)
        listen_deliver(c);
}

static void on_io(uv_poll_t *poll, int status, int events)
{
    struct db_conn *c = container_of(poll, struct watcher, poll)->conn;
    if (c->state == DB_CONNECTING) {
        step_connect(c);
        return;
    }
    if (c->state != DB_SESSION && c->state != DB_READY)
        return;
    if (status < 0 || ((events & UV_READABLE) && !PQconsumeInput(c->pg))) {
        const char *why = status < 0 ? uv_strerror(status) : PQerrorMessage(c->pg);
        conn_break(c, E_GONE, "%s", c->notice.text[0] != '\0' ? c->notice.text : why);
        return;
    }
    step_ready(c);
    if ((c->state == DB_SESSION || c->state == DB_READY) && !uv_is_active((uv_handle_t *)&c->soon))
        conn_watch(c);
}

/* Either a break that was found inside a call, or the rows that a turn left behind. */
static void on_soon(uv_idle_t *idle)
{
    struct db_conn *c = container_of(idle, struct db_conn, soon);
    uv_idle_stop(idle);
    if (c->state == DB_BROKEN) {
        struct err why = c->why;
        conn_break(c, c->why_st, "%s", why.text);
    } else if (c->state == DB_READY) {
        step_ready(c);
        if (c->state == DB_READY && !uv_is_active((uv_handle_t *)idle))
            conn_watch(c);
    }
}

void conn_again(struct db_conn *c)
{
    if (c->watcher != NULL)
        uv_poll_stop(&c->watcher->poll);
    uv_idle_start(&c->soon, on_soon);
}

/* --- the end ---------------------------------------------------------------------------------------------------- */

static void one_line(char *text)
{
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        text[--n] = '\0';
    for (char *s = text; *s != '\0'; s++) {
        if (*s == '\n' || *s == '\t')
            *s = ' ';
    }
}

static void drop_socket(struct db_conn *c)
{
    if (c->starting != NULL) /* if it waits for a thread; else its end finds that nobody wants it */
        uv_cancel((uv_req_t *)&c->starting->work);
    unwatch(c);
    uv_timer_stop(&c->deadline);
    uv_idle_stop(&c->soon);
    if (c->pg != NULL)
        PQfinish(c->pg);
    c->pg = NULL;
}

void conn_break(struct db_conn *c, enum status st, const char *format, ...)
{
    if (c->state == DB_CLOSING)
        return;
    struct err e;
    va_list args;
    va_start(args, format);
    vsnprintf(e.text, sizeof e.text, format, args);
    va_end(args);
    c->notice.text[0] = '\0';
    one_line(e.text);
    c->state = DB_BROKEN;
    c->why_st = st;
    c->why = e;
    drop_socket(c);
    query_fail_all(c, st == E_TIMEOUT ? E_TIMEOUT : E_GONE, E_GONE, &e);
    copy_fail(c, st == E_TIMEOUT ? E_TIMEOUT : E_GONE, &e);
    if (c->state == DB_BROKEN) /* not closed by one of the callbacks */
        c->events.on_down(c->events.arg, st, &e);
}

void conn_break_soon(struct db_conn *c, enum status st, const char *why)
{
    if (c->state == DB_BROKEN || c->state == DB_CLOSING)
        return;
    c->state = DB_BROKEN;
    c->why_st = st;
    err_set(&c->why, st, "%s", why);
    /* libpq may have closed the socket already: the loop may not be told of a descriptor that is nobody's, or of another's. */
    if (c->watcher != NULL)
        uv_poll_stop(&c->watcher->poll);
    uv_idle_start(&c->soon, on_soon);
}

static void on_handle_closed(struct db_conn *c)
{
    c->handles_open--;
    if (c->handles_open > 0 || c->state != DB_CLOSING)
        return;
    struct err e;
    err_set(&e, c->close_st, "%s", status_text(c->close_st));
    query_fail_all(c, c->close_st, c->close_st, &e);
    copy_fail(c, c->close_st, &e);
    if (c->on_closed != NULL)
        c->on_closed(c->on_closed_arg);
    free(c->session_sql);
    free(c);
}

static void on_closed_timer(uv_handle_t *handle)
{
    on_handle_closed(container_of((uv_timer_t *)handle, struct db_conn, deadline));
}

static void on_closed_idle(uv_handle_t *handle)
{
    on_handle_closed(container_of((uv_idle_t *)handle, struct db_conn, soon));
}

void db_conn_close(struct db_conn *c, enum status st, void (*on_closed)(void *arg), void *arg)
{
    c->close_st = st;
    c->on_closed = on_closed;
    c->on_closed_arg = arg;
    drop_socket(c);
    c->state = DB_CLOSING;
    uv_close((uv_handle_t *)&c->deadline, on_closed_timer);
    uv_close((uv_handle_t *)&c->soon, on_closed_idle);
}

/* --- the beginning ---------------------------------------------------------------------------------------------- */

/* "a,b,c" from its by-th element on and around: "b,c,a". The caller's to free; NULL: out of memory, or of nothing. */
static char *turned(const char *list, unsigned by)
{
    char *ret = list != NULL ? strdup(list) : NULL;
    if (ret == NULL)
        return NULL;
    unsigned count = 1;
    for (const char *s = list; *s != '\0'; s++)
        count += *s == ',';
    const char *cut = list;
    for (by %= count; by > 0; by--)
        cut = strchr(cut, ',') + 1;
    if (cut > list)
        sprintf(ret, "%s,%.*s", cut, (int)(cut - list - 1), list);
    return ret;
}

static void start(uv_work_t *work)
{
    struct starting *s = container_of(work, struct starting, work);
    char user_timeout[24];
    snprintf(user_timeout, sizeof user_timeout, "%lld", (long long)s->tcp_user_timeout_ms);
    /* What stands behind dbname's text wins. */
    static const char *const keys[] = { "tcp_user_timeout",
                                        "keepalives_idle",
                                        "keepalives_interval",
                                        "keepalives_count",
                                        "client_encoding",
                                        "dbname",
                                        "application_name",
                                        "host",
                                        "hostaddr",
                                        "port",
                                        NULL };
    enum { HOST = 7 };
    const char *values[] = { user_timeout, "10", "5", "3", "UTF8", s->conninfo, s->name, NULL, NULL, NULL, NULL };
    char *hosts[] = { NULL, NULL, NULL };
    PQconninfoOption *options = s->first_host > 0 ? PQconninfoParse(s->conninfo, NULL) : NULL;
    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
        for (size_t i = 0; i < COUNT_OF(hosts); i++) {
            if (strcmp(o->keyword, keys[HOST + i]) == 0)
                values[HOST + i] = hosts[i] = turned(o->val, s->first_host);
        }
    }
    PQconninfoFree(options);
    s->pg = PQconnectStartParams(keys, values, 1);
    for (size_t i = 0; i < COUNT_OF(hosts); i++)
        free(hosts[i]);
}

static void starting_free(struct starting *s)
{
    if (s == NULL)
        return;
    free(s->conninfo);
    free(s->name);
    free(s);
}

static void on_notice(void *arg, const PGresult *res)
{
    struct db_conn *c = arg;
    conn_result_error(res, &c->notice);
}

static void on_started(uv_work_t *work, int status)
{
    struct starting *s = container_of(work, struct starting, work);
    struct db_conn *c = s->conn;
    (void)status;
    c->starting = NULL;
    if (c->state != DB_CONNECTING) { /* closed, or given up, meanwhile */
        PQfinish(s->pg);
    } else if (s->pg == NULL) {
        conn_break(c, E_NOMEM, "out of memory");
    } else {
        c->pg = s->pg;
        PQsetNoticeReceiver(c->pg, on_notice, c);
        if (PQstatus(c->pg) == CONNECTION_BAD)
            conn_break(c, E_GONE, "%s", PQerrorMessage(c->pg));
        else
            watch(c, UV_WRITABLE); /* as if PQconnectPoll had said so */
    }
    starting_free(s);
    on_handle_closed(c);
}

static struct starting *starting_new(struct db_conn *c, const struct db_conn_config *config)
{
    struct starting *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->conn = c;
    s->conninfo = strdup(config->conninfo);
    s->name = strdup(config->name);
    s->tcp_user_timeout_ms = config->tcp_user_timeout_ms;
    s->first_host = config->first_host;
    if (s->conninfo == NULL || s->name == NULL) {
        starting_free(s);
        return NULL;
    }
    return s;
}

enum status db_conn_open(uv_loop_t *loop, const struct db_conn_config *config, const struct db_conn_events *events,
                         struct db_conn **ret, struct err *e)
{
    struct db_conn *c = calloc(1, sizeof *c);
    if (c == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    c->loop = loop;
    c->events = *events;
    c->for_copy = config->for_copy;
    c->query_timeout_ms = config->query_timeout_ms;
    list_init(&c->queries);
    c->session_sql = listen_session_sql(config->session_sql, config->channel);
    c->starting = starting_new(c, config);
    if (c->session_sql == NULL || c->starting == NULL) {
        free(c->session_sql);
        starting_free(c->starting);
        free(c);
        return err_set(e, E_NOMEM, "out of memory");
    }
    uv_timer_init(loop, &c->deadline);
    uv_idle_init(loop, &c->soon);
    c->handles_open = 3; /* and what is starting */
    uv_queue_work(loop, &c->starting->work, start, on_started);
    conn_deadline(c, config->connect_timeout_ms);
    *ret = c;
    return OK;
}

enum db_conn_state db_conn_state(const struct db_conn *c)
{
    return c->state;
}

int db_conn_backend_pid(const struct db_conn *c)
{
    return c->pg != NULL ? PQbackendPID(c->pg) : 0;
}

enum status conn_result_error(const PGresult *res, struct err *e)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *words = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    const char *where = PQresultErrorField(res, PG_DIAG_CONTEXT);
    if (words == NULL)
        words = PQresultErrorMessage(res);
    enum status st = E_DB;
    if (state != NULL && strcmp(state, "57014") == 0)
        st = E_TIMEOUT;
    else if (state != NULL && (strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0))
        st = E_GONE;
    err_set(e, st, "%s%s%s%s%s", state != NULL ? state : "", state != NULL ? ": " : "", words,
            where != NULL ? " in " : "", where != NULL ? where : "");
    one_line(e->text);
    return st;
}
