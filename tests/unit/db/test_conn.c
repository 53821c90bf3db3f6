/* What a connection does when there is no server. With one: tests/unit/store/test_store_pg.c. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "followupd/db/query.h"

static uv_loop_t loop;
static struct db_conn *conn;
static int up, down, closed;
static enum status down_st;
static struct err why;
static bool close_at_once;

static void on_closed(void *arg)
{
    (void)arg;
    closed++;
}
static void on_up(void *arg)
{
    (void)arg;
    up++;
}
static void on_down(void *arg, enum status st, const struct err *e)
{
    (void)arg;
    down++;
    down_st = st;
    why = *e;
    if (close_at_once)
        db_conn_close(conn, E_GONE, on_closed, NULL);
}

static void open_to(const char *conninfo)
{
    struct db_conn_config config = { .conninfo = conninfo, .name = "test", .connect_timeout_ms = 200 };
    struct db_conn_events events = { NULL, on_up, on_down, NULL };
    struct err e;
    uv_loop_init(&loop);
    cr_assert_eq(db_conn_open(&loop, &config, &events, &conn, &e), OK);
    cr_assert_eq(down, 0, "a callback ran inside the call");
}
static void finish(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(closed, 1);
    cr_assert_eq(up, 0);
    cr_assert_eq(uv_loop_close(&loop), 0);
}

/* A name server that does not answer until the test lets it, or a test would wait for ever. */
static atomic_bool asked, in_vain;
static sem_t answers;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (node == NULL || strcmp(node, "slow.example") != 0)
        return ((lookup *)dlsym(RTLD_NEXT, "getaddrinfo"))(node, service, hints, ret);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    asked = true;
    in_vain = sem_timedwait(&answers, &until) != 0;
    return EAI_AGAIN;
}

Test(conn, a_name_server_that_does_not_answer_does_not_hold_up_the_loop)
{
    sem_init(&answers, 0, 0);
    close_at_once = true;
    open_to("host=slow.example dbname=x");
    while (!asked || down == 0)
        uv_run(&loop, UV_RUN_ONCE);
    cr_assert_not(in_vain, "the loop waited for the name server");
    cr_assert_eq(down_st, E_TIMEOUT);
    cr_assert_eq(closed, 0, "its thread is still at it");
    sem_post(&answers);
    finish();
    cr_assert_not(in_vain);
}

Test(conn, a_missing_socket_is_told_once_from_the_loop_and_named)
{
    close_at_once = true;
    open_to("host=/nonexistent port=1 dbname=x");
    finish();
    cr_assert_eq(down, 1);
    cr_assert_eq(down_st, E_GONE);
    cr_assert_not_null(strstr(why.text, "/nonexistent"), "%s", why.text);
    cr_assert_null(strchr(why.text, '\n'));
}

Test(conn, a_wrong_conninfo_is_told_like_a_missing_server)
{
    close_at_once = true;
    open_to("nonsense=1");
    finish();
    cr_assert_eq(down, 1);
    cr_assert_not_null(strstr(why.text, "nonsense"), "%s", why.text);
}

Test(conn, closed_before_it_was_open_it_says_nothing_more)
{
    open_to("host=/nonexistent port=1");
    db_conn_close(conn, E_CANCELLED, on_closed, NULL);
    finish();
    cr_assert_eq(down, 0);
}

static void on_query(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    (void)q;
    (void)st;
    (void)e;
    (void)res;
    cr_assert_fail("called back though it was not started");
}

Test(conn, a_query_before_it_is_up_is_not_started)
{
    static const struct db_statement statement = { "one", "SELECT 1" };
    struct db_query q;
    open_to("host=/nonexistent port=1");
    cr_assert_eq(db_query_start(conn, &q, &statement, NULL, on_query), E_GONE);
    db_conn_close(conn, E_CANCELLED, on_closed, NULL);
    finish();
}

static void on_connection(uv_stream_t *server, int status)
{
    (void)server;
    (void)status;
}
static void close_server(uv_timer_t *timer)
{
    if (down > 0) {
        uv_close(timer->data, NULL);
        uv_close((uv_handle_t *)timer, NULL);
    }
}

Test(conn, a_server_that_never_answers_is_given_up)
{
    uv_tcp_t server;
    uv_timer_t timer;
    struct sockaddr_in address;
    int length = sizeof address;
    char conninfo[100];
    uv_loop_t *l = &loop;
    close_at_once = true;
    struct sockaddr_in any;
    uv_ip4_addr("127.0.0.1", 0, &any);
    uv_loop_init(l);
    uv_tcp_init(l, &server);
    uv_tcp_bind(&server, (struct sockaddr *)&any, 0);
    uv_listen((uv_stream_t *)&server, 4, on_connection);
    uv_tcp_getsockname(&server, (struct sockaddr *)&address, &length);
    snprintf(conninfo, sizeof conninfo, "hostaddr=127.0.0.1 port=%d user=x sslmode=disable gssencmode=disable",
             ntohs(address.sin_port));
    struct db_conn_config config = { .conninfo = conninfo, .name = "test", .connect_timeout_ms = 100 };
    struct db_conn_events events = { NULL, on_up, on_down, NULL };
    struct err e;
    cr_assert_eq(db_conn_open(l, &config, &events, &conn, &e), OK);
    uv_timer_init(l, &timer);
    timer.data = &server;
    uv_timer_start(&timer, close_server, 10, 10);
    uv_run(l, UV_RUN_DEFAULT);
    cr_assert_eq(down, 1);
    cr_assert_eq(down_st, E_TIMEOUT);
    cr_assert_eq(closed, 1);
    cr_assert_eq(uv_loop_close(l), 0);
}
