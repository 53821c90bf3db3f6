/* http_server: a provider for tests, on the test's own loop and a port of its own. It reads whole requests, remembers
 * how many came and the last one, and does with the n-th what its script says. */
#ifndef TESTS_HTTP_SERVER_H
#define TESTS_HTTP_SERVER_H

#include <stddef.h>
#include <uv.h>

#define SERVER_STEPS_MAX 8

enum server_action {
    SERVER_ANSWER,           /* send the text, keep the connection */
    SERVER_ANSWER_AND_CLOSE, /* send the text, then close */
    SERVER_CLOSE,            /* close without a byte */
    SERVER_SILENT,           /* never answer */
    SERVER_HUGE,             /* 200 and a body without end */
};
struct server_step {
    enum server_action action;
    const char *text; /* raw bytes of the answer */
};

struct http_server {
    uv_tcp_t listener;
    int port;
    struct server_step steps[SERVER_STEPS_MAX]; /* the last one repeats */
    size_t step_count;
    size_t requests, connections;
    char last[16384]; /* the last request, head and body */
    struct http_connection *open;
};

void http_server_start(struct http_server *s, uv_loop_t *loop, const struct server_step *steps, size_t count);
void http_server_stop(struct http_server *s); /* closes the listener and every connection */

#endif
