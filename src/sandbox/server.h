/* server: HTTP bytes on the libuv loop. libmicrohttpd's epoll descriptor is one of the loop's; a request whose answer
 * comes later is suspended and resumed. The server knows paths, limits and deadlines; what a request means is its
 * route's business.
 *
 * An exchange is one request and its answer. The route's handler runs once, when the body is whole, and ends by exactly
 * one of exchange_answer, exchange_cut and exchange_silence, then or later.
 *
 * Bounds     SERVER_CONNECTIONS_MAX connections; 8 KiB of request line and headers, SERVER_BODY_BYTES_MAX of body (each
 *            answered with its 4xx); SERVER_HEADER_MS from connecting to the first headers, SERVER_REQUEST_MS from the
 *            headers to the body's end, SERVER_IDLE_MS between requests: a connection past one of these is closed.
 * Threads    one, the loop's. */
#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "followupd/base/buf.h"
#include "followupd/base/clock.h"
#include "followupd/base/list.h"
#include "followupd/base/status.h"

#define SERVER_CONNECTIONS_MAX 2048
#define SERVER_BODY_BYTES_MAX  (1u << 20)
#define SERVER_HEADER_MS       10000
#define SERVER_REQUEST_MS      30000
#define SERVER_IDLE_MS         120000
#define EXCHANGE_HEADERS_MAX   4
#define SERVER_SILENT_MS       600000 /* then even a silent request is closed */
#define SERVER_DRAIN_MS        5000   /* what a stop gives late answers */

struct exchange;
struct server;

struct server_route {
    const char *method, *path; /* a path segment "*" stands for any one segment */
    void (*handle)(void *context, struct exchange *x);
    const void *data; /* the route's own, exchange_route_data */
};

struct server_stats {
    uint64_t requests;   /* whose body came whole */
    uint64_t answers[6]; /* by the first digit of their status */
    uint64_t cut;
    uint64_t in_flight, in_flight_peak; /* whole, not yet answered */
    uint64_t connections, connections_peak;
    uint64_t deadlines_missed;
};

/* address "127.0.0.1:8026" or "[::1]:0"; port 0: the kernel chooses. routes: borrowed, ends with a NULL method. */
MUST_USE enum status server_open(uv_loop_t *loop, const char *address, const struct server_route *routes, void *context,
                                 struct server **ret, struct err *e);
void server_address(const struct server *s, char *ret, size_t bytes); /* as bound; 64 bytes are enough */
/* No new connections; answers under way go out, late ones within SERVER_DRAIN_MS, silent ones are cut. Then everything
 * the server has on the loop is closed and on_stopped runs. Once. */
void server_stop(struct server *s, void (*on_stopped)(void *context), void *context);
void server_free(struct server *s); /* after on_stopped; NULL is fine */
const struct server_stats *server_stats(const struct server *s);

/* Valid until its end; the route may hang something of its own on it, freed with it. */
const struct buf *exchange_body(const struct exchange *x);
const char *exchange_header(const struct exchange *x, const char *name); /* NULL: not sent; borrowed */
const char *exchange_query(const struct exchange *x, const char *name);  /* the same, decoded */
const char *exchange_path(const struct exchange *x);                     /* without its query */
const char *exchange_method(const struct exchange *x);
const void *exchange_route_data(const struct exchange *x);
void exchange_own(struct exchange *x, void *owned, void (*owned_free)(void *owned));
void *exchange_owned(const struct exchange *x);
/* Whatever ends the exchange is held back that long. */
void exchange_delay(struct exchange *x, int64_t delay_ms);
void exchange_retry_after(struct exchange *x, int64_t retry_after_s);
/* A header of the answer; at most EXCHANGE_HEADERS_MAX of them, name borrowed for ever, value copied. */
void exchange_answer_header(struct exchange *x, const char *name, const char *value);
void exchange_answer(struct exchange *x, int http_status, const char *json); /* copied */
void exchange_error(struct exchange *x, int http_status, const char *text);  /* {"error":text} */
void exchange_cut(struct exchange *x);                                       /* closes the connection without a byte */
void exchange_silence(struct exchange *x);                                   /* no answer until the client gives up */

#endif
