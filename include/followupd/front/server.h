/* server: HTTP bytes on the libuv loop. libmicrohttpd's epoll descriptor is one of the loop's. The server knows limits
 * and deadlines; what a request means is on_request's business.
 *
 * Exchange    one request and its answer. on_request runs once for it, when its header has come whole, and answers with
 *             exchange_answer, once, before it returns. No request has a body yet: one that announces a body is told to
 *             on_request like any other, exchange_has_body says so, and after the answer the connection is closed
 *             unread. A route that takes bodies, or answers later, comes with the webhooks: then the body is collected
 *             up to the route's limit before on_request, and an exchange that was not answered is suspended.
 * Deadlines   are absolute, so a byte now and then helps nobody: header_timeout_ms from connecting, or from the request
 *             line on a connection that is kept, to the end of the header; answer_timeout_ms from there to the answer's
 *             last byte; idle_timeout_ms between two requests. Who is late is cut.
 * Places      connections_max; with one more, that which has waited longest for its client is cut, so idle and dripping
 *             clients never keep others out. Above address_connections_max of one address new ones are refused.
 * Bounds      8 KiB for request line and headers: 414, 431. A malformed request is 400. All three are libmicrohttpd's.
 * Threads     one, the loop's. */
#ifndef FOLLOWUPD_FRONT_SERVER_H
#define FOLLOWUPD_FRONT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "followupd/base/status.h"

struct server;
struct exchange;

struct server_config {
    const char *address; /* see base/listener.h */
    size_t connections_max, address_connections_max;
    int64_t header_timeout_ms, answer_timeout_ms, idle_timeout_ms;
    void (*on_request)(void *arg, struct exchange *x);
    void *arg;
};

struct server_stats {
    uint64_t answers[6]; /* by the first digit of their status */
    size_t connections;
    uint64_t late, evicted; /* connections that were cut, at a deadline, to make room */
};

/* E_INVALID: not an address; E_BUSY: somebody else listens there; E_IO. config is copied, its texts are borrowed until
 * the call returns. */
MUST_USE enum status server_open(uv_loop_t *loop, const struct server_config *config, struct server **ret,
                                 struct err *e);
void server_address(const struct server *s, char *ret, size_t bytes); /* as bound; 64 bytes are enough */
const struct server_stats *server_stats(const struct server *s);
/* Closes every connection as it is. Not from on_request. s is freed on the loop. */
void server_close(struct server *s);

/* Borrowed until on_request returns. */
const char *exchange_method(const struct exchange *x); /* HEAD is answered like GET; the body is then not sent */
const char *exchange_path(const struct exchange *x);   /* decoded, without the query */
bool exchange_has_body(const struct exchange *x);

struct answer {
    unsigned http_status;
    const char *content_type;
    const char *allow; /* NULL: no such header */
    const void *body;  /* copied */
    size_t body_bytes;
};
void exchange_answer(struct exchange *x, const struct answer *answer);

#endif
