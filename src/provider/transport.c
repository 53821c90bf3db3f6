#include "followupd/provider/transport.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/buf.h"
#include "followupd/base/clock.h"
#include "followupd/base/crash_point.h"
#include "followupd/base/list.h"
#include "sockets.h"

#define IDLE_CONNECTION_S_MAX 15L
/* curl allocates what it reads into for each request, 16 KB unless told. An answer to a POST is rarely longer than this, which
 * malloc keeps at hand. */
#define POST_READ_BYTES 1024L
/* One is about 50 us of work: an answer read, its result noted, and the POST that takes its place. */
#define EVENTS_A_TURN 16

struct curl_transport {
    struct transport transport;
    CURLM *multi;
    struct sockets *sockets;
    uv_timer_t timer;  /* curl's own deadlines */
    uv_idle_t at_once; /* curl asks for a timer of 0 ms: the next turn of the loop, without waiting in poll */
    uv_check_t polled;
    uv_idle_t more; /* sockets wait for the next turn of the loop: it does not wait in poll */
    int handles_open;
    struct list under_way, idle;  /* struct post */
    size_t posts_max, post_count; /* post_count: under way and idle */
    bool closing;
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};

struct post {
    struct list node;
    struct curl_transport *owner;
    CURL *easy;   /* owned, kept from POST to POST */
    CURLU *parts; /* of url, owned: curl takes a text apart for each request */
    char *url;    /* owned; what easy was told last */
    const struct transport_request *request;
    struct curl_slist lines[TRANSPORT_HEADERS_MAX + 2]; /* the header list, linked in place */
    struct buf answer;
    bool answer_cut, repeat_refused, called_off;
    int64_t begun_us;
    char error[CURL_ERROR_SIZE];
    transport_cb cb;
    void *arg;
};

/* --- what curl calls -------------------------------------------------------------------------------------------- */

static size_t on_write(char *data, size_t size, size_t count, void *arg)
{
    struct post *p = arg;
    if (buf_add(&p->answer, data, size * count) != OK) {
        p->answer_cut = true;
        return 0; /* ends the transfer */
    }
    return size * count;
}

/* Connected, TLS done, and no byte of the request has left yet: curl asks before each request it makes, on whatever
 * connection. Whoever asks a second time is about to send the body a second time. */
static int on_begin(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    struct post *p = arg;
    p->called_off = p->begun_us == 0 && p->request->may_begin != NULL && !p->request->may_begin(p->arg);
    if (p->called_off)
        return CURL_PREREQFUNC_ABORT;
    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (p->begun_us != 0 && p->request->method == TRANSPORT_POST) {
        p->repeat_refused = true;
        return CURL_PREREQFUNC_ABORT;
    }
    p->begun_us = mono_now_us();
    return CURL_PREREQFUNC_OK;
}

static void run_curl(struct curl_transport *t, curl_socket_t fd, int events);

static void on_timer(uv_timer_t *timer)
{
    run_curl(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_at_once(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    run_curl(idle->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wanted(CURLM *multi, long timeout_ms, void *arg)
{
    struct curl_transport *t = arg;
    (void)multi;
    uv_timer_stop(&t->timer);
    uv_idle_stop(&t->at_once);
    if (t->closing)
        return 0;
    if (timeout_ms == 0)
        uv_idle_start(&t->at_once, on_at_once);
    else if (timeout_ms > 0)
        uv_timer_start(&t->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static void on_socket_event(void *arg, curl_socket_t fd, int curl_events)
{
    run_curl(arg, fd, curl_events);
}

static void on_more(uv_idle_t *more)
{
    (void)more;
}

static void on_polled(uv_check_t *polled)
{
    struct curl_transport *t = polled->data;
    if (sockets_serve(t->sockets, EVENTS_A_TURN))
        uv_idle_start(&t->more, on_more);
    else
        uv_idle_stop(&t->more);
}

/* --- the end of a POST ------------------------------------------------------------------------------------------ */

static bool is_tls(CURLcode code)
{
    return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_SSL_CIPHER || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR;
}

static const char *find_header(void *easy, const char *name)
{
    struct curl_header *header;
    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

/* A status that was read decides, whatever became of the rest: a 2xx whose body is cut is a 2xx. Without one, what
 * counts is whether the request was begun; how many bytes curl says it uploaded proves nothing. */
static void describe(struct post *p, CURLcode code, struct transport_answer *ret)
{
    long http_status = 0;
    curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &http_status);
    bool answered = http_status >= 200 && http_status <= 599 && p->begun_us != 0;
    *ret = (struct transport_answer){
        .end = answered           ? TRANSPORT_ANSWERED
               : p->begun_us == 0 ? TRANSPORT_NOT_SENT
                                  : TRANSPORT_IN_DOUBT,
        .http_status = answered ? (int)http_status : 0,
        .body = p->answer.data != NULL ? p->answer.data : "",
        .body_bytes = p->answer.used,
        .body_whole = code == CURLE_OK,
        .timed_out = code == CURLE_OPERATION_TIMEDOUT,
        .tls_refused = is_tls(code),
        .called_off = p->called_off,
        .begun_us = p->begun_us,
        .detail = "",
    };
    if (answered) {
        ret->headers = p->easy;
        ret->find_header = find_header;
    }
    if (p->answer_cut)
        ret->detail = "the answer is larger than what is read of one";
    else if (p->called_off)
        ret->detail = "it was called off before a byte had left";
    else if (p->repeat_refused)
        ret->detail = "the connection was closed without an answer";
    else if (code != CURLE_OK)
        ret->detail = p->error[0] != '\0' ? p->error : curl_easy_strerror(code);
}

/* The only place a POST ends. */
static void post_finish(struct post *p, CURLcode code)
{
    struct curl_transport *t = p->owner;
    struct transport_answer answer;
    describe(p, code, &answer);
    list_remove(&p->node); /* so that the callback may post again, but not on this handle */
    p->cb(p->arg, &answer);
    curl_multi_remove_handle(t->multi, p->easy);
    p->request = NULL;
    buf_clear(&p->answer);
    list_append(&t->idle, &p->node);
}

static void run_curl(struct curl_transport *t, curl_socket_t fd, int events)
{
    int running, left;
    CURLMsg *message;
    curl_multi_socket_action(t->multi, fd, events, &running);
    CRASH_POINT(post_moved);
    while (!t->closing && (message = curl_multi_info_read(t->multi, &left)) != NULL) {
        struct post *p = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&p);
        post_finish(p, code);
    }
}

/* --- a POST ----------------------------------------------------------------------------------------------------- */

static void set_once(struct post *p)
{
    struct curl_transport *t = p->owner;
    CURL *c = p->easy;
    curl_easy_setopt(c, CURLOPT_PRIVATE, p);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "followupd/" FOLLOWUPD_VERSION);
    curl_easy_setopt(c, CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_S_MAX);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, p);
    curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_begin);
    curl_easy_setopt(c, CURLOPT_PREREQDATA, p);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, p->error);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, sockets_open);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t->sockets);
    curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, sockets_close);
    curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, t->sockets);
}

static void post_free(struct post *p)
{
    curl_easy_cleanup(p->easy);
    curl_url_cleanup(p->parts);
    free(p->url);
    buf_fini(&p->answer);
    free(p);
}

static struct post *post_take(struct curl_transport *t)
{
    struct list *node = list_take_first(&t->idle);
    if (node != NULL)
        return container_of(node, struct post, node);
    struct post *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->owner = t;
    list_init(&p->node);
    buf_init(&p->answer, TRANSPORT_ANSWER_BYTES_MAX);
    p->easy = curl_easy_init();
    p->parts = curl_url();
    if (p->easy == NULL || p->parts == NULL) {
        post_free(p);
        return NULL;
    }
    set_once(p);
    t->post_count++;
    return p;
}

/* NULL: none. */
static struct curl_slist *link_headers(struct post *p, const struct transport_request *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->header_count; i++)
        p->lines[count++].data = (char *)r->headers[i]; /* curl only reads it */
    /* No "Expect: 100-continue", which curl adds to a POST over 1 MiB. 7.88 would sign this line, which is never sent. */
    if (r->aws_sigv4 == NULL)
        p->lines[count++].data = (char *)"Expect:";
    for (size_t i = 0; i < count; i++)
        p->lines[i].next = i + 1 < count ? &p->lines[i + 1] : NULL;
    return count > 0 ? p->lines : NULL;
}

/* A text that is no URL is left to curl, which says what is wrong with it. */
static bool set_url(struct post *p, const char *url)
{
    if (p->url != NULL && strcmp(p->url, url) == 0)
        return true;
    free(p->url);
    p->url = NULL;
    bool parsed = curl_url_set(p->parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
    if (curl_easy_setopt(p->easy, CURLOPT_CURLU, parsed ? p->parts : NULL) != CURLE_OK ||
        curl_easy_setopt(p->easy, CURLOPT_URL, url) != CURLE_OK)
        return false;
    p->url = strdup(url);
    return p->url != NULL;
}

static bool set_request(struct post *p, const struct transport_request *r)
{
    CURL *c = p->easy;
    /* Refused while the handle still has what it read into, after a request that found no connection: it is used again. */
    curl_easy_setopt(c, CURLOPT_BUFFERSIZE, r->method == TRANSPORT_POST ? POST_READ_BYTES : (long)CURL_MAX_WRITE_SIZE);
    bool set = set_url(p, r->url) && curl_easy_setopt(c, CURLOPT_HTTPHEADER, link_headers(p, r)) == CURLE_OK &&
               curl_easy_setopt(c, CURLOPT_USERPWD, r->user_password) == CURLE_OK &&
               curl_easy_setopt(c, CURLOPT_AWS_SIGV4, r->aws_sigv4) == CURLE_OK &&
               curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms) == CURLE_OK &&
               curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                                (long)(r->connect_timeout_ms > 0 ? r->connect_timeout_ms : r->timeout_ms)) == CURLE_OK;
    if (set && r->aws_sigv4 == NULL) /* the handle may have signed the request before */
        set = curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK;
    if (set && r->method == TRANSPORT_GET)
        return curl_easy_setopt(c, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    return set && curl_easy_setopt(c, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body_bytes > 0 ? r->body : "") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_bytes) == CURLE_OK;
}

static enum status curl_transport_send(struct transport *transport, const struct transport_request *r, transport_cb cb,
                                       void *arg)
{
    struct curl_transport *t = container_of(transport, struct curl_transport, transport);
    assert(r->header_count <= TRANSPORT_HEADERS_MAX && r->timeout_ms > 0);
    if (t->closing)
        return E_CANCELLED;
    if (list_empty(&t->idle) && t->post_count >= t->posts_max)
        return E_LIMIT;
    struct post *p = post_take(t);
    if (p == NULL)
        return E_NOMEM;
    p->request = r;
    p->answer_cut = p->repeat_refused = p->called_off = false;
    p->answer.bytes_max = r->answer_bytes_max > 0 ? r->answer_bytes_max : TRANSPORT_ANSWER_BYTES_MAX;
    p->begun_us = 0;
    p->error[0] = '\0';
    p->cb = cb;
    p->arg = arg;
    if (!set_request(p, r) || curl_multi_add_handle(t->multi, p->easy) != CURLM_OK) {
        list_append(&t->idle, &p->node);
        return E_NOMEM;
    }
    list_append(&t->under_way, &p->node);
    return OK;
}

/* --- open and close --------------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct curl_transport *t = handle->data;
    if (--t->handles_open > 0)
        return;
    void (*on_closed)(void *arg) = t->on_closed;
    void *arg = t->on_closed_arg;
    sockets_free(t->sockets);
    free(t);
    if (on_closed != NULL)
        on_closed(arg);
}

static void free_posts(struct list *posts)
{
    for (struct list *node; (node = list_take_first(posts)) != NULL;)
        post_free(container_of(node, struct post, node));
}

static void curl_transport_close(struct transport *transport, void (*on_closed)(void *arg), void *arg)
{
    struct curl_transport *t = container_of(transport, struct curl_transport, transport);
    t->closing = true;
    t->on_closed = on_closed;
    t->on_closed_arg = arg;
    while (!list_empty(&t->under_way)) {
        struct post *p = container_of(t->under_way.next, struct post, node);
        snprintf(p->error, sizeof p->error, "cancelled");
        post_finish(p, CURLE_ABORTED_BY_CALLBACK);
    }
    free_posts(&t->idle);
    curl_multi_cleanup(t->multi);
    curl_global_cleanup();
    uv_timer_stop(&t->timer);
    uv_idle_stop(&t->at_once);
    uv_close((uv_handle_t *)&t->timer, on_handle_closed);
    uv_close((uv_handle_t *)&t->at_once, on_handle_closed);
    uv_close((uv_handle_t *)&t->polled, on_handle_closed);
    uv_close((uv_handle_t *)&t->more, on_handle_closed);
}

enum status transport_open(uv_loop_t *loop, size_t posts_max, struct transport **ret, struct err *e)
{
    static const struct transport_ops ops = { .send = curl_transport_send, .close = curl_transport_close };
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(e, E_NOMEM, "libcurl cannot start");
    struct curl_transport *t = calloc(1, sizeof *t);
    if (t == NULL)
        goto no_memory;
    t->transport.ops = &ops;
    t->posts_max = posts_max;
    list_init(&t->under_way);
    list_init(&t->idle);
    t->sockets = sockets_new(loop, on_socket_event, t);
    t->multi = curl_multi_init();
    if (t->sockets == NULL || t->multi == NULL)
        goto no_memory;
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, sockets_want);
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t->sockets);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
    curl_multi_setopt(t->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)posts_max);
    uv_timer_init(loop, &t->timer);
    uv_idle_init(loop, &t->at_once);
    uv_check_init(loop, &t->polled);
    uv_idle_init(loop, &t->more);
    t->timer.data = t->at_once.data = t->polled.data = t->more.data = t;
    t->handles_open = 4;
    uv_check_start(&t->polled, on_polled);
    uv_unref((uv_handle_t *)&t->polled);
    *ret = &t->transport;
    return OK;
no_memory:
    if (t != NULL) {
        if (t->multi != NULL)
            curl_multi_cleanup(t->multi);
        sockets_free(t->sockets);
        free(t);
    }
    curl_global_cleanup();
    return err_set(e, E_NOMEM, "out of memory for the connections to providers");
}
