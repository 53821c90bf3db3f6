#include "followupd/provider/transport.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../turn.h"
#include "http_server.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"id\":\"p1\"}"

struct post_end {
    size_t calls;
    enum transport_end end;
    int http_status;
    char body[64], detail[256], retry_after[64];
    size_t body_bytes;
    bool body_whole, timed_out, begun, called_off;
};

static uv_loop_t loop;
static struct transport *transport;
static struct http_server server;
static char url[64];
static struct transport_request request;

static size_t posts_max = 4;

static void start(const struct server_step *steps, size_t count)
{
    uv_loop_init(&loop);
    cr_assert_eq(transport_open(&loop, posts_max, &transport, NULL), OK);
    http_server_start(&server, &loop, steps, count);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/send", server.port);
    static const char *const headers[] = { "Content-Type: application/json", "Idempotency-Key: fu/1/2/3" };
    request = (struct transport_request){
        .url = url,
        .headers = headers,
        .header_count = 2,
        .body = "{\"message_id\":\"m-2\"}",
        .body_bytes = 20,
        .timeout_ms = 5000,
    };
}

static void finish(void)
{
    if (transport != NULL)
        transport_close(transport, NULL, NULL);
    transport = NULL;
    http_server_stop(&server);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
}

static void on_end(void *arg, const struct transport_answer *a)
{
    struct post_end *e = arg;
    e->calls++;
    e->end = a->end;
    e->http_status = a->http_status;
    e->body_bytes = a->body_bytes;
    e->body_whole = a->body_whole;
    e->timed_out = a->timed_out;
    e->begun = a->begun_us != 0;
    e->called_off = a->called_off;
    snprintf(e->body, sizeof e->body, "%s", a->body);
    snprintf(e->detail, sizeof e->detail, "%s", a->detail);
    const char *retry_after = transport_header(a, "Retry-After");
    snprintf(e->retry_after, sizeof e->retry_after, "%s", retry_after != NULL ? retry_after : "");
}

static struct post_end post_and_wait(void)
{
    struct post_end e = { 0 };
    cr_assert_eq(transport_send(transport, &request, on_end, &e), OK);
    cr_assert_eq(e.calls, 0, "the callback ran inside the call");
    while (e.calls == 0)
        turn_once(&loop);
    for (int i = 0; i < 20; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    cr_assert_eq(e.calls, 1);
    return e;
}

#define START(...)                                                                                                     \
    start((const struct server_step[]){ __VA_ARGS__ },                                                                 \
          sizeof((const struct server_step[]){ __VA_ARGS__ }) / sizeof(struct server_step))

Test(transport, a_post_carries_its_headers_and_body_and_brings_the_answer)
{
    START({ SERVER_ANSWER, OK_ANSWER });
    struct post_end e = post_and_wait();
    cr_assert_eq(e.end, TRANSPORT_ANSWERED);
    cr_assert_eq(e.http_status, 200);
    cr_assert_str_eq(e.body, "{\"id\":\"p1\"}");
    cr_assert(e.body_whole && e.begun);
    cr_assert_not_null(strstr(server.last, "POST /send HTTP/1.1\r\n"));
    cr_assert_not_null(strstr(server.last, "\r\nIdempotency-Key: fu/1/2/3\r\n"));
    cr_assert_not_null(strstr(server.last, "\r\n\r\n{\"message_id\":\"m-2\"}"));
    cr_assert_null(strstr(server.last, "Expect"));
    finish();
}

Test(transport, a_connection_is_used_again)
{
    START({ SERVER_ANSWER, OK_ANSWER });
    for (int i = 0; i < 3; i++)
        cr_assert_eq(post_and_wait().http_status, 200);
    cr_assert_eq(server.requests, 3);
    cr_assert_eq(server.connections, 1);
    finish();
}

Test(transport, a_handle_posts_where_it_is_told_whatever_it_was_told_before)
{
    char other[80];
    START({ SERVER_ANSWER, OK_ANSWER });
    snprintf(other, sizeof other, "http://127.0.0.1:%d/other?a=1", server.port);
    cr_assert_eq(post_and_wait().http_status, 200);
    request.url = other;
    cr_assert_eq(post_and_wait().http_status, 200);
    cr_assert_not_null(strstr(server.last, "POST /other?a=1 HTTP/1.1\r\n"));
    request.url = "http://127.0.0.1:none/";
    struct post_end e = post_and_wait();
    cr_assert_eq(e.end, TRANSPORT_NOT_SENT);
    cr_assert_str_neq(e.detail, "");
    request.url = url;
    cr_assert_eq(post_and_wait().http_status, 200);
    cr_assert_not_null(strstr(server.last, "POST /send HTTP/1.1\r\n"));
    finish();
}

Test(transport, a_line_of_an_answer_longer_than_what_is_read_at_once_is_read_whole)
{
    char answer[8192];
    snprintf(answer, sizeof answer,
             "HTTP/1.1 429 Slow Down\r\nX-Long: %05000d\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}", 0);
    START({ SERVER_ANSWER, answer });
    struct post_end e = post_and_wait();
    cr_assert_eq(e.http_status, 429);
    cr_assert_str_eq(e.retry_after, "7");
    cr_assert(e.body_whole);
    finish();
}

Test(transport, a_reused_connection_closed_after_the_request_was_read_is_doubt_and_never_posted_again)
{
    START({ SERVER_ANSWER, OK_ANSWER }, { SERVER_CLOSE }, { SERVER_ANSWER, OK_ANSWER });
    cr_assert_eq(post_and_wait().http_status, 200);
    struct post_end e = post_and_wait();
    cr_assert_eq(e.end, TRANSPORT_IN_DOUBT);
    cr_assert_eq(server.requests, 2, "%zu requests arrived: the POST was repeated", server.requests);
    cr_assert_str_eq(e.detail, "the connection was closed without an answer");
    cr_assert_eq(post_and_wait().http_status, 200, "the handle works afterwards");
    finish();
}

Test(transport, a_fresh_connection_closed_without_an_answer_is_doubt)
{
    START({ SERVER_CLOSE });
    struct post_end e = post_and_wait();
    cr_assert_eq(e.end, TRANSPORT_IN_DOUBT);
    cr_assert(e.begun);
    cr_assert_eq(server.requests, 1);
    finish();
}

Test(transport, a_refused_connection_was_provably_not_sent)
{
    START({ SERVER_CLOSE });
    uv_tcp_t placeholder; /* a port that is bound but does not listen refuses */
    struct sockaddr_in address;
    int bytes = sizeof address;
    uv_tcp_init(&loop, &placeholder);
    uv_ip4_addr("127.0.0.1", 0, &address);
    cr_assert_eq(uv_tcp_bind(&placeholder, (struct sockaddr *)&address, 0), 0);
    uv_tcp_getsockname(&placeholder, (struct sockaddr *)&address, &bytes);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/send", ntohs(address.sin_port));
    struct post_end e = post_and_wait();
    cr_assert_eq(e.end, TRANSPORT_NOT_SENT, "%s", e.detail);
    cr_assert_not(e.begun);
    uv_close((uv_handle_t *)&placeholder, NULL);
    finish();
}

/* A listener whose queue is full drops whoever comes next, as a host behind a firewall does. */
static int open_deaf_listener(struct sockaddr_in *address, int fillers[2])
{
    socklen_t bytes = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uv_ip4_addr("127.0.0.1", 0, address);
    cr_assert_eq(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    cr_assert_eq(listen(fd, 0), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)address, &bytes), 0);
    for (int i = 0; i < 2; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fillers[i], (struct sockaddr *)address, sizeof *address);
    }
    return fd;
}

/* curl closes a socket that never connected without a word: its number may be anybody's next. */
Test(transport, a_connection_that_is_never_made_was_not_sent_and_is_not_watched_any_more)
{
    START({ SERVER_CLOSE });
    struct sockaddr_in address;
    int fillers[2], deaf = open_deaf_listener(&address, fillers);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/send", ntohs(address.sin_port));
    request.connect_timeout_ms = 50;
    for (int i = 0; i < 3; i++) {
        struct post_end e = post_and_wait();
        cr_assert_eq(e.end, TRANSPORT_NOT_SENT, "%s", e.detail);
    }
    int next = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* gets the number of the one that was closed */
    uv_poll_t poll;
    cr_assert_eq(uv_poll_init_socket(&loop, &poll, next), 0, "its number is still watched");
    uv_close((uv_handle_t *)&poll, NULL);
    close(fillers[0]);
    close(fillers[1]);
    close(deaf);
    finish();
    close(next);
}

Test(transport, a_name_that_does_not_resolve_was_provably_not_sent)
{
    START({ SERVER_CLOSE });
    snprintf(url, sizeof url, "http://nowhere.invalid/send");
    struct post_end e = post_and_wait();
    cr_assert_eq(e.end, TRANSPORT_NOT_SENT, "%s", e.detail);
    finish();
}

Test(transport, a_failed_tls_handshake_was_provably_not_sent)
{
    START({ SERVER_CLOSE });
    snprintf(url, sizeof url, "https://127.0.0.1:%d/send", server.port);
    request.timeout_ms = 200; /* the server waits for an HTTP request that never comes */
    struct post_end e = post_and_wait();
    cr_assert_eq(e.end, TRANSPORT_NOT_SENT, "%s", e.detail);
    cr_assert_eq(server.requests, 0);
    finish();
}

Test(transport, no_answer_in_time_is_doubt)
{
    START({ SERVER_SILENT });
    request.timeout_ms = 100;
    struct post_end e = post_and_wait();
    cr_assert_eq(e.end, TRANSPORT_IN_DOUBT);
    cr_assert(e.timed_out);
    cr_assert_eq(server.requests, 1);
    finish();
}

Test(transport, bytes_that_are_not_http_are_doubt)
{
    START({ SERVER_ANSWER_AND_CLOSE, "what is this?\n\n" });
    struct post_end e = post_and_wait();
    cr_assert_eq(e.end, TRANSPORT_IN_DOUBT, "end %d, status %d", e.end, e.http_status);
    finish();
}

Test(transport, a_status_counts_though_its_body_is_cut)
{
    START({ SERVER_ANSWER_AND_CLOSE, "HTTP/1.1 202 Accepted\r\nContent-Length: 500\r\n\r\n{\"id\"" });
    struct post_end e = post_and_wait();
    cr_assert_eq(e.end, TRANSPORT_ANSWERED);
    cr_assert_eq(e.http_status, 202);
    cr_assert_not(e.body_whole);
    finish();
}

Test(transport, a_huge_answer_is_read_no_further_than_its_limit_and_keeps_its_status)
{
    START({ SERVER_HUGE });
    struct post_end e = post_and_wait();
    cr_assert_eq(e.end, TRANSPORT_ANSWERED);
    cr_assert_eq(e.http_status, 200);
    cr_assert_not(e.body_whole);
    cr_assert_leq(e.body_bytes, TRANSPORT_ANSWER_BYTES_MAX);
    finish();
}

Test(transport, an_interim_answer_is_not_the_answer)
{
    START({ SERVER_ANSWER_AND_CLOSE, "HTTP/1.1 102 Processing\r\n\r\n" });
    cr_assert_eq(post_and_wait().end, TRANSPORT_IN_DOUBT);
    finish();
}

Test(transport, a_redirect_is_an_answer_and_is_not_followed)
{
    START({ SERVER_ANSWER, "HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n" });
    struct post_end e = post_and_wait();
    cr_assert_eq(e.http_status, 307);
    cr_assert_eq(server.requests, 1);
    finish();
}

static bool may;
static size_t asked;

static bool may_begin(void *arg)
{
    cr_assert_not_null(arg);
    asked++;
    return may;
}

Test(transport, what_is_called_off_when_the_connection_stands_has_not_left)
{
    START({ SERVER_ANSWER, OK_ANSWER });
    request.may_begin = may_begin;
    for (int i = 0; i < 2; i++) {
        may = false;
        struct post_end e = post_and_wait();
        cr_assert_eq(e.end, TRANSPORT_NOT_SENT);
        cr_assert(e.called_off && !e.begun);
        cr_assert_not_null(strstr(e.detail, "called off"));
        may = true;
        e = post_and_wait();
        cr_assert_eq(e.http_status, 200);
        cr_assert_not(e.called_off);
    }
    cr_assert_eq(server.requests, 2);
    cr_assert_eq(asked, 4);
    finish();
}

Test(transport, retry_after_comes_with_the_answer)
{
    START({ SERVER_ANSWER, "HTTP/1.1 429 Slow\r\nretry-after: 7\r\nContent-Length: 0\r\n\r\n" });
    cr_assert_str_eq(post_and_wait().retry_after, "7");
    finish();
}

Test(transport, a_get_has_no_body_and_the_next_post_is_a_post_again)
{
    START({ SERVER_ANSWER, OK_ANSWER });
    struct transport_request post = request;
    request.method = TRANSPORT_GET;
    request.body_bytes = 0;
    struct post_end e = post_and_wait();
    cr_assert_eq(e.http_status, 200);
    cr_assert_str_eq(e.body, "{\"id\":\"p1\"}");
    cr_assert_not_null(strstr(server.last, "GET /send HTTP/1.1\r\n"));
    cr_assert_null(strstr(server.last, "Content-Length"));
    request = post;
    cr_assert_eq(post_and_wait().http_status, 200);
    cr_assert_not_null(strstr(server.last, "POST /send HTTP/1.1\r\n"));
    cr_assert_not_null(strstr(server.last, "\r\n\r\n{\"message_id\":\"m-2\"}"));
    cr_assert_eq(server.connections, 1);
    finish();
}

Test(transport, a_get_on_a_dead_connection_is_asked_again_and_a_post_after_it_is_not)
{
    START({ SERVER_ANSWER, OK_ANSWER }, { SERVER_CLOSE }, { SERVER_ANSWER, OK_ANSWER }, { SERVER_CLOSE },
          { SERVER_ANSWER, OK_ANSWER });
    struct transport_request post = request;
    request.method = TRANSPORT_GET;
    cr_assert_eq(post_and_wait().http_status, 200);
    cr_assert_eq(post_and_wait().http_status, 200);
    cr_assert_eq(server.requests, 3, "%zu requests", server.requests);
    request = post;
    cr_assert_eq(post_and_wait().end, TRANSPORT_IN_DOUBT);
    cr_assert_eq(server.requests, 4);
    finish();
}

Test(transport, a_user_and_password_are_sent_as_basic_and_not_with_the_next_request)
{
    START({ SERVER_ANSWER, OK_ANSWER });
    request.user_password = "api:key-test";
    cr_assert_eq(post_and_wait().http_status, 200);
    cr_assert_not_null(strstr(server.last, "\r\nAuthorization: Basic YXBpOmtleS10ZXN0\r\n"), "%s", server.last);
    request.user_password = NULL;
    cr_assert_eq(post_and_wait().http_status, 200);
    cr_assert_null(strstr(server.last, "Authorization"), "%s", server.last);
    finish();
}

Test(transport, a_signed_request_and_a_basic_one_share_a_handle)
{
    START({ SERVER_ANSWER, OK_ANSWER });
    request.aws_sigv4 = "aws:amz:us-east-1:ses";
    request.user_password = "AKIDEXAMPLE:wJalr/secret";
    cr_assert_eq(post_and_wait().http_status, 200);
    cr_assert_not_null(strstr(server.last, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "%s",
                       server.last);
    cr_assert_not_null(strstr(server.last, "/us-east-1/ses/aws4_request, SignedHeaders="), "%s", server.last);
    request.aws_sigv4 = NULL;
    request.user_password = "api:key-test";
    cr_assert_eq(post_and_wait().http_status, 200);
    cr_assert_not_null(strstr(server.last, "\r\nAuthorization: Basic YXBpOmtleS10ZXN0\r\n"), "%s", server.last);
    finish();
}

Test(transport, more_posts_than_allowed_are_refused_and_closing_ends_the_others_once)
{
    START({ SERVER_SILENT });
    struct post_end e[5] = { 0 };
    for (int i = 0; i < 4; i++)
        cr_assert_eq(transport_send(transport, &request, on_end, &e[i]), OK);
    cr_assert_eq(transport_send(transport, &request, on_end, &e[4]), E_LIMIT);
    while (server.requests < 4)
        turn_once(&loop);
    transport_close(transport, NULL, NULL);
    transport = NULL;
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(e[i].calls, 1);
        cr_assert_eq(e[i].end, TRANSPORT_IN_DOUBT);
    }
    cr_assert_eq(e[4].calls, 0);
    finish();
}

#define CROWD 200

static size_t ends_of_turn, ends_of_turn_max;

static void on_crowd_end(void *arg, const struct transport_answer *a)
{
    on_end(arg, a);
    ends_of_turn++;
}

static void on_turn(uv_prepare_t *turn)
{
    (void)turn;
    if (ends_of_turn > ends_of_turn_max)
        ends_of_turn_max = ends_of_turn;
    ends_of_turn = 0;
}

static void post_crowd(struct post_end *e)
{
    for (size_t i = 0; i < CROWD; i++)
        cr_assert_eq(transport_send(transport, &request, on_crowd_end, &e[i]), OK);
    for (size_t i = 0; i < CROWD; i++) {
        while (e[i].calls == 0)
            turn_once(&loop);
        cr_assert_eq(e[i].http_status, 200);
    }
}

Test(transport, a_crowd_of_answers_is_read_in_several_turns)
{
    static struct post_end e[2 * CROWD];
    uv_prepare_t turn;
    posts_max = CROWD;
    START({ SERVER_ANSWER, OK_ANSWER });
    uv_prepare_init(&loop, &turn);
    uv_prepare_start(&turn, on_turn);
    post_crowd(e);
    post_crowd(e + CROWD); /* on connections that stand, so that all answers come at once */
    cr_assert_leq(ends_of_turn_max, 32, "%zu in a turn", ends_of_turn_max);
    cr_assert_geq(ends_of_turn_max, 8, "%zu in a turn: no crowd", ends_of_turn_max);
    uv_close((uv_handle_t *)&turn, NULL);
    finish();
}

Test(transport, closing_before_anything_left_says_not_sent)
{
    START({ SERVER_SILENT });
    struct post_end e = { 0 };
    cr_assert_eq(transport_send(transport, &request, on_end, &e), OK);
    transport_close(transport, NULL, NULL);
    transport = NULL;
    cr_assert_eq(e.calls, 1);
    cr_assert_eq(e.end, TRANSPORT_NOT_SENT);
    finish();
}
