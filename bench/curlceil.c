/* curlceil: how many 1 KB POSTs a second one thread can do with libcurl alone (multi_socket on libuv, a body in memory):
 * the HTTP half of an ideal worker. From the project's peer benchmark.
 *
 *     cc -O2 -o curlceil curlceil.c -lcurl -luv && ./curlceil URL TOTAL IN_FLIGHT
 *
 * Prints {"requests", "failed", "rate" (a second), "us" (CPU a request), "us_user", "us_system"}. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

typedef struct {
    CURL *e;
    char body[1400];
    char resp[256];
    size_t n;
} req_t;
typedef struct {
    uv_poll_t p;
    curl_socket_t fd;
} sock_t;
static uv_loop_t *loop;
static uv_timer_t timer;
static CURLM *multi;
static struct curl_slist *hdr;
static long total, started, done, failed;
static char pad[880];
static const char *url;

static size_t on_resp(char *d, size_t s, size_t n, void *u)
{
    req_t *r = u;
    n *= s;
    size_t k = n < sizeof r->resp - 1 - r->n ? n : sizeof r->resp - 1 - r->n;
    memcpy(r->resp + r->n, d, k);
    r->n += k;
    return n;
}
static void start(req_t *r)
{
    long n = snprintf(r->body, sizeof r->body,
                      "{\"message_id\":\"c-%ld\",\"from\":\"a@example.test\",\"to\":\"u%ld@example.test\",\"subject\":"
                      "\"hello\",\"text\":\"%s\"}",
                      started, started, pad);
    started++;
    r->n = 0;
    curl_easy_setopt(r->e, CURLOPT_POSTFIELDS, r->body);
    curl_easy_setopt(r->e, CURLOPT_POSTFIELDSIZE, n);
    curl_multi_add_handle(multi, r->e);
}
static void reap(void)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(multi, &left))) {
        if (m->msg != CURLMSG_DONE)
            continue;
        req_t *r;
        long code = 0;
        CURL *e = m->easy_handle;
        CURLcode rc = m->data.result;
        curl_easy_getinfo(e, CURLINFO_PRIVATE, &r);
        curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &code);
        curl_multi_remove_handle(multi, e);
        done++;
        if (rc || code != 202)
            failed++;
        if (started < total)
            start(r);
    }
    if (done == total)
        uv_stop(loop);
}
static void on_io(uv_poll_t *p, int st, int ev)
{
    sock_t *s = p->data;
    int running, f = (st < 0 ? CURL_CSELECT_ERR : 0) | (ev & UV_READABLE ? CURL_CSELECT_IN : 0) |
                     (ev & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(multi, s->fd, f, &running);
    reap();
}
static void on_time(uv_timer_t *t)
{
    (void)t;
    int r;
    curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &r);
    reap();
}
static int set_timer(CURLM *m, long ms, void *u)
{
    (void)m;
    (void)u;
    if (ms < 0)
        uv_timer_stop(&timer);
    else
        uv_timer_start(&timer, on_time, (uint64_t)ms, 0);
    return 0;
}
static void on_close(uv_handle_t *h)
{
    free(h->data);
}
static int set_sock(CURL *e, curl_socket_t fd, int what, void *u, void *sp)
{
    (void)e;
    (void)u;
    sock_t *s = sp;
    if (what == CURL_POLL_REMOVE) {
        if (s) {
            uv_poll_stop(&s->p);
            uv_close((uv_handle_t *)&s->p, on_close);
            curl_multi_assign(multi, fd, NULL);
        }
        return 0;
    }
    if (!s) {
        s = calloc(1, sizeof *s);
        s->fd = fd;
        uv_poll_init_socket(loop, &s->p, fd);
        s->p.data = s;
        curl_multi_assign(multi, fd, s);
    }
    uv_poll_start(&s->p, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0), on_io);
    return 0;
}
int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: curlceil URL TOTAL IN_FLIGHT\n");
        return 2;
    }
    url = argv[1];
    total = atol(argv[2]);
    int par = atoi(argv[3]);
    memset(pad, 'x', sizeof pad - 1);
    curl_global_init(CURL_GLOBAL_ALL);
    loop = uv_default_loop();
    uv_timer_init(loop, &timer);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_sock);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)par);
    hdr = curl_slist_append(NULL, "Content-Type: application/json");
    hdr = curl_slist_append(hdr, "Expect:");
    req_t *rs = calloc((size_t)par, sizeof *rs);
    uint64_t t0 = uv_hrtime();
    for (int i = 0; i < par; i++) {
        req_t *r = &rs[i];
        r->e = curl_easy_init();
        curl_easy_setopt(r->e, CURLOPT_URL, url);
        curl_easy_setopt(r->e, CURLOPT_HTTPHEADER, hdr);
        curl_easy_setopt(r->e, CURLOPT_PRIVATE, r);
        curl_easy_setopt(r->e, CURLOPT_WRITEFUNCTION, on_resp);
        curl_easy_setopt(r->e, CURLOPT_WRITEDATA, r);
        curl_easy_setopt(r->e, CURLOPT_NOSIGNAL, 1L);
        start(r);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    double s = (double)(uv_hrtime() - t0) / 1e9;
    struct rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    double u = ru.ru_utime.tv_sec + ru.ru_utime.tv_usec / 1e6, k = ru.ru_stime.tv_sec + ru.ru_stime.tv_usec / 1e6;
    printf("{\"requests\":%ld,\"failed\":%ld,\"rate\":%.0f,\"us\":%.2f,\"us_user\":%.2f,\"us_system\":%.2f}\n", done,
           failed, (double)done / s, (u + k) * 1e6 / (double)done, u * 1e6 / (double)done, k * 1e6 / (double)done);
    return 0;
}
