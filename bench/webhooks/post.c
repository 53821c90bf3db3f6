/* post: signed webhooks as SendGrid sends them, as fast as somebody takes them, over so many kept connections.
 *
 *     cc -O2 -o post post.c -lcrypto && ./post HOST PORT PATH TOTAL CONNECTIONS KEY.pem [FIRST [EVENTS]]
 *
 * Each has EVENTS events (3) of real shape (about 420 bytes) with ids of their own, from FIRST on, and is signed before the
 * clock starts. One request is under way on a connection; an answer is read whole. Prints {"posted", "ok", "other", "seconds",
 * "rate" (a second), "p50_ms", "p99_ms", "max_ms", "bytes" (of a body), "us" (our CPU a request)}. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "events.h"

#define CONNS_MAX 2000

struct request {
    char *text;
    int bytes;
};
struct conn {
    int fd;
    long request;
    int sent, got;
    double begun;
    char answer[4096];
};

static struct request *requests;
static double *took;
static struct conn conns[CONNS_MAX];
static long total, begun, done, ok;
static int body_bytes, events = WEBHOOK_EVENTS;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sign(EVP_PKEY *key, const char *path, long number, struct request *ret)
{
    static char body[EVENTS_MAX * EVENT_ROOM];
    char stamp[24], signature64[256];
    unsigned char signature[128];
    size_t bytes = sizeof signature;
    body_bytes = write_events(body, number, events);
    int stamp_bytes = snprintf(stamp, sizeof stamp, "%lld", (long long)time(NULL));
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key);
    EVP_DigestSignUpdate(c, stamp, (size_t)stamp_bytes);
    EVP_DigestSignUpdate(c, body, (size_t)body_bytes);
    if (EVP_DigestSignFinal(c, signature, &bytes) != 1)
        exit(1);
    EVP_MD_CTX_free(c);
    EVP_EncodeBlock((unsigned char *)signature64, signature, (int)bytes);
    ret->bytes = asprintf(&ret->text,
                          "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                          "X-Twilio-Email-Event-Webhook-Signature: %s\r\nX-Twilio-Email-Event-Webhook-Timestamp: "
                          "%s\r\n\r\n%s",
                          path, body_bytes, signature64, stamp, body);
}

static void begin(struct conn *c)
{
    if (begun == total) {
        close(c->fd);
        c->fd = -1;
        return;
    }
    c->request = begun++;
    c->got = 0;
    c->begun = now_s();
    const struct request *r = &requests[c->request];
    if (write(c->fd, r->text, (size_t)r->bytes) != r->bytes) { /* a blocking socket: all of it */
        fprintf(stderr, "write: %s\n", strerror(errno));
        exit(1);
    }
}

static int whole(const struct conn *c)
{
    const char *end = strstr(c->answer, "\r\n\r\n"), *length = strcasestr(c->answer, "\r\ncontent-length:");
    return end != NULL && length != NULL && c->got >= end + 4 - c->answer + atoi(length + 17);
}

static void take(struct conn *c)
{
    ssize_t n = read(c->fd, c->answer + c->got, sizeof c->answer - 1 - (size_t)c->got);
    if (n <= 0) {
        fprintf(stderr, "the server closed a connection\n");
        exit(1);
    }
    c->got += (int)n;
    c->answer[c->got] = '\0';
    if (!whole(c))
        return;
    took[done++] = now_s() - c->begun;
    ok += strncmp(c->answer, "HTTP/1.1 200", 12) == 0;
    begin(c);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    if (argc < 7)
        return 2;
    total = atol(argv[4]);
    int count = atoi(argv[5]);
    long first = argc > 7 ? atol(argv[7]) : 1;
    events = argc > 8 ? atoi(argv[8]) : events;
    FILE *file = fopen(argv[6], "r");
    EVP_PKEY *key = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (key == NULL || count < 1 || count > CONNS_MAX || events < 1 || events > EVENTS_MAX)
        return 2;
    requests = calloc((size_t)total, sizeof *requests);
    took = calloc((size_t)total, sizeof *took);
    for (long i = 0; i < total; i++)
        sign(key, argv[3], first + i, &requests[i]);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2])) };
    inet_pton(AF_INET, argv[1], &to.sin_addr);
    int epoll = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        conns[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(conns[i].fd, (struct sockaddr *)&to, sizeof to) != 0) {
            perror("connect");
            return 1;
        }
        setsockopt(conns[i].fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = &conns[i] };
        epoll_ctl(epoll, EPOLL_CTL_ADD, conns[i].fd, &e);
    }
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    double start = now_s();
    for (int i = 0; i < count; i++)
        begin(&conns[i]);
    while (done < total) {
        struct epoll_event told[64];
        int n = epoll_wait(epoll, told, 64, 30000);
        if (n <= 0) {
            fprintf(stderr, "no answer for 30 s\n");
            return 1;
        }
        for (int i = 0; i < n; i++)
            take(told[i].data.ptr);
    }
    double seconds = now_s() - start;
    getrusage(RUSAGE_SELF, &after);
    double cpu =
        (double)(after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec - before.ru_stime.tv_sec) +
        (double)(after.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_utime.tv_usec - before.ru_stime.tv_usec) /
            1e6;
    qsort(took, (size_t)total, sizeof *took, by_size);
    printf("{\"posted\":%ld,\"ok\":%ld,\"other\":%ld,\"seconds\":%.3f,\"rate\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
           "\"max_ms\":%.2f,\"bytes\":%d,\"us\":%.1f}\n",
           total, ok, total - ok, seconds, (double)total / seconds, took[total / 2] * 1e3, took[total * 99 / 100] * 1e3,
           took[total - 1] * 1e3, body_bytes, cpu * 1e6 / (double)total);
    return 0;
}
