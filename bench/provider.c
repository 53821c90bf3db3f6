/* provider: a stand-in mail provider for benchmarks, the receiver that counts. HTTP/1.1 keep-alive on loopback, one
 * thread, no fsync: as cheap as it can be, because it runs on the same machine. (followup-sandbox keeps a ledger on disk
 * and would be what is measured.) From the project's peer benchmark; every side of a comparison posts to it.
 *
 *     cc -O2 -o provider provider.c -luv -lhttp_parser && ./provider PORT [LATENCY_MS]       PORT 0: any free one
 *
 * It prints the port. POST anything: 202 {"id":"p-<n>"}; the body holds "message_id":"...", counted once each, and may
 * hold "due_ms":<unix ms>. GET /stats: counters, and lateness (arrival - due) in milliseconds. GET /count: the first two of
 * them. GET /reset: forgets. At most 2M messages between resets. */
#include <http_parser.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#define BODY_MAX 65536
#define SETCAP   (1u << 22) /* twice what is counted, so that probing stays short */

typedef struct conn {
    uv_tcp_t tcp;
    http_parser p;
    char url[64];
    size_t urllen, blen;
    int keep, closing;
    char out[65536];
    size_t outlen;
    char rbuf[65536];
    char body[BODY_MAX];
} conn_t;
typedef struct {
    uv_write_t w;
    char data[];
} wr_t;
typedef struct {
    uv_timer_t t;
    conn_t *c;
    uint64_t n;
} delay_t;

static uv_loop_t *loop;
static http_parser_settings hs;
static uint64_t latency_ms, total, dups, noid, nodue;
static uint64_t *set;
static float *late;
static size_t nlate, caplate;
static double first_us, last_us, min_due, max_due, bytes;

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}
static void on_closed(uv_handle_t *h)
{
    free(h->data);
}
static void drop(conn_t *c)
{
    if (c->closing)
        return;
    c->closing = 1;
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}
static void on_written(uv_write_t *w, int st)
{
    (void)st;
    free(w);
}
static void flush_out(conn_t *c)
{
    if (!c->outlen || c->closing)
        return;
    uv_buf_t b = uv_buf_init(c->out, (unsigned)c->outlen);
    int n = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
    if (n < 0)
        n = 0;
    if ((size_t)n < c->outlen) {
        size_t rest = c->outlen - (size_t)n;
        wr_t *w = malloc(sizeof *w + rest);
        memcpy(w->data, c->out + n, rest);
        uv_buf_t rb = uv_buf_init(w->data, (unsigned)rest);
        if (uv_write(&w->w, (uv_stream_t *)&c->tcp, &rb, 1, on_written))
            free(w);
    }
    c->outlen = 0;
}
static void reply(conn_t *c, const char *status, const char *body, size_t n)
{
    if (c->outlen + n + 256 > sizeof c->out)
        flush_out(c);
    c->outlen += (size_t)snprintf(c->out + c->outlen, sizeof c->out - c->outlen,
                                  "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.*s",
                                  status, n, (int)n, body);
}
static int seen(const char *s, size_t n)
{
    uint64_t h = 1469598103934665603ull;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 1099511628211ull;
    if (!h)
        h = 1;
    for (size_t i = h & (SETCAP - 1);; i = (i + 1) & (SETCAP - 1)) {
        if (!set[i]) {
            set[i] = h;
            return 0;
        }
        if (set[i] == h)
            return 1;
    }
}
static void record(conn_t *c)
{
    double t = now_us();
    if (!total)
        first_us = t;
    last_us = t;
    total++;
    bytes += (double)c->blen;
    c->body[c->blen] = 0;
    char *m = strstr(c->body, "\"message_id\":\"");
    if (!m)
        noid++;
    else {
        m += 14;
        char *e = strchr(m, '"');
        if (e && total < SETCAP / 2 && seen(m, (size_t)(e - m))) {
            dups++;
            return;
        }
    }
    char *d = strstr(c->body, "\"due_ms\":");
    if (!d) {
        nodue++;
        return;
    }
    double due = strtod(d + 9, NULL);
    if (!min_due || due < min_due)
        min_due = due;
    if (due > max_due)
        max_due = due;
    if (nlate == caplate)
        late = realloc(late, (caplate = caplate ? caplate * 2 : 65536) * sizeof *late);
    late[nlate++] = (float)(t / 1e3 - due);
}
static int cmpf(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}
static double pct(double q)
{
    return nlate ? late[(size_t)(q * (double)(nlate - 1))] : 0;
}
static void stats(conn_t *c)
{
    char b[1024];
    size_t early = 0;
    qsort(late, nlate, sizeof *late, cmpf);
    while (early < nlate && late[early] < 0)
        early++;
    int n = snprintf(b, sizeof b,
                     "{\"total\":%llu,\"duplicates\":%llu,\"no_id\":%llu,\"no_due\":%llu,\"early\":%zu,\"first_ms\":%."
                     "3f,\"last_ms\":%.3f,"
                     "\"min_due_ms\":%.0f,\"max_due_ms\":%.0f,\"late_min\":%.2f,\"late_p50\":%.2f,\"late_p90\":%.2f,"
                     "\"late_p99\":%.2f,\"late_max\":%.2f,\"body_bytes\":%.0f}\n",
                     (unsigned long long)total, (unsigned long long)dups, (unsigned long long)noid,
                     (unsigned long long)nodue, early, first_us / 1e3, last_us / 1e3, min_due, max_due, pct(0), pct(.5),
                     pct(.9), pct(.99), pct(1), total ? bytes / (double)total : 0);
    reply(c, "200 OK", b, (size_t)n);
}
/* What a runner asks every 100 ms: unlike /stats it sorts nothing, so it makes nobody wait. */
static void count(conn_t *c)
{
    char b[96];
    int n = snprintf(b, sizeof b, "{\"total\":%llu,\"duplicates\":%llu}\n", (unsigned long long)total,
                     (unsigned long long)dups);
    reply(c, "200 OK", b, (size_t)n);
}
static void reset(void)
{
    total = dups = noid = nodue = 0;
    nlate = 0;
    first_us = last_us = min_due = max_due = bytes = 0;
    memset(set, 0, SETCAP * sizeof *set);
}
static void accepted(conn_t *c, uint64_t n)
{
    char b[64];
    int k = snprintf(b, sizeof b, "{\"id\":\"p-%llu\"}\n", (unsigned long long)n);
    reply(c, "202 Accepted", b, (size_t)k);
}
static void on_alloc(uv_handle_t *h, size_t n, uv_buf_t *b);
static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b);
static void delay_closed(uv_handle_t *h)
{
    free(h);
}
static void on_delay(uv_timer_t *t)
{
    delay_t *d = (delay_t *)t;
    accepted(d->c, d->n);
    flush_out(d->c);
    uv_read_start((uv_stream_t *)&d->c->tcp, on_alloc, on_read);
    uv_close((uv_handle_t *)t, delay_closed);
}
static int on_url(http_parser *p, const char *s, size_t n)
{
    conn_t *c = p->data;
    if (n > sizeof c->url - 1 - c->urllen)
        n = sizeof c->url - 1 - c->urllen;
    memcpy(c->url + c->urllen, s, n);
    c->urllen += n;
    c->url[c->urllen] = 0;
    return 0;
}
static int on_begin(http_parser *p)
{
    conn_t *c = p->data;
    c->urllen = c->blen = 0;
    c->url[0] = 0;
    return 0;
}
static int on_body(http_parser *p, const char *s, size_t n)
{
    conn_t *c = p->data;
    if (n > BODY_MAX - 1 - c->blen)
        n = BODY_MAX - 1 - c->blen;
    memcpy(c->body + c->blen, s, n);
    c->blen += n;
    return 0;
}
static int on_done(http_parser *p)
{
    conn_t *c = p->data;
    c->keep = http_should_keep_alive(p);
    if (!strcmp(c->url, "/stats"))
        stats(c);
    else if (!strcmp(c->url, "/count"))
        count(c);
    else if (!strcmp(c->url, "/reset")) {
        reset();
        reply(c, "200 OK", "{}\n", 3);
    } else if (p->method != HTTP_POST)
        reply(c, "404 Not Found", "{}\n", 3);
    else {
        record(c);
        if (!latency_ms)
            accepted(c, total);
        else { /* no pipelining while delayed: stop reading until answered */
            delay_t *d = malloc(sizeof *d);
            d->c = c;
            d->n = total;
            uv_timer_init(loop, &d->t);
            uv_read_stop((uv_stream_t *)&c->tcp);
            uv_timer_start(&d->t, on_delay, latency_ms, 0);
        }
    }
    return 0;
}
static void on_alloc(uv_handle_t *h, size_t n, uv_buf_t *b)
{
    (void)n;
    conn_t *c = h->data;
    *b = uv_buf_init(c->rbuf, sizeof c->rbuf);
}
static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    conn_t *c = s->data;
    if (n < 0) {
        drop(c);
        return;
    }
    if (n == 0)
        return;
    size_t k = http_parser_execute(&c->p, &hs, b->base, (size_t)n);
    flush_out(c);
    if (k != (size_t)n || !c->keep) {
        if (HTTP_PARSER_ERRNO(&c->p) != HPE_OK)
            drop(c);
    }
}
static void on_conn(uv_stream_t *srv, int st)
{
    if (st < 0)
        return;
    conn_t *c = calloc(1, sizeof *c);
    uv_tcp_init(loop, &c->tcp);
    c->tcp.data = c;
    if (uv_accept(srv, (uv_stream_t *)&c->tcp)) {
        drop(c);
        return;
    }
    uv_tcp_nodelay(&c->tcp, 1);
    http_parser_init(&c->p, HTTP_REQUEST);
    c->p.data = c;
    c->keep = 1;
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}
int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 0;
    latency_ms = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    set = calloc(SETCAP, sizeof *set);
    loop = uv_default_loop();
    hs.on_message_begin = on_begin;
    hs.on_url = on_url;
    hs.on_body = on_body;
    hs.on_message_complete = on_done;
    struct sockaddr_in a;
    uv_ip4_addr("127.0.0.1", port, &a);
    uv_tcp_t srv;
    uv_tcp_init(loop, &srv);
    if (uv_tcp_bind(&srv, (struct sockaddr *)&a, 0) || uv_listen((uv_stream_t *)&srv, 1024, on_conn)) {
        fprintf(stderr, "cannot listen on 127.0.0.1:%d\n", port);
        return 1;
    }
    int size = sizeof a;
    uv_tcp_getsockname(&srv, (struct sockaddr *)&a, &size);
    printf("%d\n", ntohs(a.sin_port));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
