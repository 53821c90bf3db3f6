/* A front that closes while the pool still looks at a webhook: what comes meanwhile is told to come again, and counted. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../turn.h"
#include "followupd/front/front.h"

#define POOL_THREADS 4 /* libuv's default */
#define TOKEN        "00000000-0000-0000-0000-000000000000"

static uv_sem_t pool_may_go_on;

static void wait_in_pool(uv_work_t *work)
{
    (void)work;
    uv_sem_wait(&pool_may_go_on);
}

static void ended_in_pool(uv_work_t *work, int status)
{
    (void)work;
    (void)status;
}

static size_t figures_asked;

static void figures(void *arg, struct figures *ret)
{
    (void)arg;
    figures_asked++;
    static const struct histogram none;
    *ret = (struct figures){ .database_up = 1, .shards_held = 1, .shards_valid = 1 };
    ret->lateness = ret->claim = ret->send = ret->record = ret->inbox = ret->turn = &none;
}

static struct front *open_front(uv_loop_t *loop)
{
    struct front *f = NULL;
    struct err e = { "" };
    const struct server_config config = {
        .address = "127.0.0.1:0",
        .connections_max = 16,
        .address_connections_max = 16,
        .bodies_bytes_max = 1 << 20,
        .header_timeout_ms = 60000,
        .body_timeout_ms = 60000,
        .answer_timeout_ms = 60000,
        .idle_timeout_ms = 60000,
    };
    const struct webhook_settings settings = { .type = "postmark", .secrets = { "user:pass" } };
    const struct front_parts nobody = { 0 };
    struct webhook_source *source = NULL;
    struct sources *sources = sources_new();
    cr_assert_eq(webhook_source_new(&settings, &source, &e), OK, "%s", e.text);
    cr_assert_eq(sources_add(sources, "pm", 0, source, NULL, 0), OK);
    cr_assert_eq(front_open(loop, &config, &(struct front_hooks){ NULL, figures }, &nobody, &f, &e), OK, "%s", e.text);
    front_set_sources(f, sources);
    return f;
}

static int send_request(const struct front *f, const char *request)
{
    char address[64];
    struct sockaddr_in to = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    front_address(f, address, sizeof address);
    to.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    cr_assert_eq(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    return fd;
}

/* Until the server closes it. */
static const char *answer_of(uv_loop_t *loop, int fd)
{
    static char answer[8192];
    size_t used = 0;
    for (ssize_t bytes = 1; bytes != 0 && used<sizeof answer - 1; used += bytes> 0 ? (size_t)bytes : 0) {
        turn_once(loop);
        bytes = recv(fd, answer + used, sizeof answer - 1 - used, MSG_DONTWAIT);
    }
    answer[used] = '\0';
    close(fd);
    return answer;
}

#define HEAD    " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
#define WEBHOOK "POST /webhooks/pm/1" HEAD "Content-Length: 2\r\n\r\n{}"

Test(front, what_comes_while_it_closes_is_told_to_come_again_and_counted)
{
    uv_loop_t loop;
    uv_work_t busy[POOL_THREADS];
    uv_loop_init(&loop);
    uv_sem_init(&pool_may_go_on, 0);
    struct front *f = open_front(&loop);
    int seen = send_request(f, "GET /readyz" HEAD "\r\n");
    cr_expect(strstr(answer_of(&loop, seen), "HTTP/1.1 200 ") != NULL);
    for (size_t i = 0; i < POOL_THREADS; i++)
        uv_queue_work(&loop, &busy[i], wait_in_pool, ended_in_pool);
    int first = send_request(f, WEBHOOK);
    while (loop.active_reqs.count <= POOL_THREADS)
        turn_once(&loop);
    front_close(f);
    size_t asked_before = figures_asked;

    int second = send_request(f, WEBHOOK);
    const char *answer = answer_of(&loop, second);
    cr_expect(strstr(answer, "HTTP/1.1 503 ") != NULL && strstr(answer, "Retry-After: 10") != NULL, "%s", answer);
    cr_expect_eq(front_webhook_stats(f)->put_off, 1);
    answer = answer_of(&loop, send_request(f, "POST /u/" TOKEN HEAD "Content-Length: 0\r\n\r\n"));
    cr_expect(strstr(answer, "HTTP/1.1 503 ") != NULL && strstr(answer, "<form method=\"post\">") != NULL, "%s",
              answer);
    answer = answer_of(&loop, send_request(f, "GET /readyz" HEAD "\r\n"));
    cr_expect(strstr(answer, "HTTP/1.1 503 ") != NULL && strstr(answer, "draining") != NULL, "%s", answer);
    cr_expect_eq(figures_asked, asked_before, "whoever knows the figures may be gone");

    for (size_t i = 0; i < POOL_THREADS; i++)
        uv_sem_post(&pool_may_go_on);
    while (uv_run(&loop, UV_RUN_NOWAIT) != 0)
        uv_sleep(1);
    cr_expect_eq(uv_loop_close(&loop), 0, "everything is closed");
    close(first);
    uv_sem_destroy(&pool_may_go_on);
}
