/* server: HTTP bytes on the libuv loop. libmicrohttpd's epoll descriptor is one of the loop's. The server knows limits
 * and deadlines; what a request means is on_request's business.
 *
 * Exchange    one request and its answer. on_request runs once for it, when its header and body have come whole, or at once
 *             when its body is not read; it is answered with exchange_answer, once, then or later. One that is not
 *             answered when on_request returns is suspended; it must be answered, however long that takes.
 * Bodies      on_header says how long the body of a request may be; it is held in memory, all bodies together at most
 *             bodies_bytes_max: the length that is announced (chunked: the most it may be) counts from the header on. Those
 *             over 1 MiB have half of that, so a few mails never keep webhooks out. A body that is not read (exchange_body
 *             says why) ends the connection with the answer.
 *             Both Content-Length and Transfer-Encoding, two Content-Lengths, or a coding that is not "chunked", are how
 *             requests are smuggled past a proxy: BODY_SMUGGLED.
 * Deadlines   are absolute, so a byte now and then helps nobody: header_timeout_ms from connecting, or from the request
 *             line on a connection that is kept, to the end of the header; body_timeout_ms from there to the end of the
 *             body; answer_timeout_ms from the answer to its last byte; idle_timeout_ms between two requests. Who is late
 *             is cut. Between the request's end and the answer nobody is late: that time is ours.
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
    size_t bodies_bytes_max; /* held at once, of all requests */
    int64_t header_timeout_ms, body_timeout_ms, answer_timeout_ms, idle_timeout_ms;
    /* The most bytes that the body may have; 0: none is taken. */
    size_t (*on_header)(void *arg, const struct exchange *x);
    void (*on_request)(void *arg, struct exchange *x);
    void *arg;
};

struct server_stats {
    uint64_t answers[6]; /* by the first digit of their status */
    size_t connections;
    size_t bodies_bytes;    /* held now or announced */
    uint64_t late, evicted; /* connections that were cut, at a deadline, to make room */
};

/* E_INVALID: not an address; E_BUSY: somebody else listens there; E_IO. config is copied, its texts are borrowed until
 * the call returns. */
MUST_USE enum status server_open(uv_loop_t *loop, const struct server_config *config, struct server **ret,
                                 struct err *e);
void server_address(const struct server *s, char *ret, size_t bytes); /* as bound; 64 bytes are enough */
const struct server_stats *server_stats(const struct server *s);
/* Closes every connection as it is. Not from on_request. s is freed on the loop. An exchange that is not answered yet may
 * still be, to no effect but that it is freed. */
void server_close(struct server *s);

/* Borrowed until it is answered. After server_close they may not be asked. */
const char *exchange_method(const struct exchange *x); /* HEAD is answered like GET; the body is then not sent */
const char *exchange_path(const struct exchange *x);   /* decoded, without the query */
const char *exchange_header(const struct exchange *x, const char *name); /* the first of that name; NULL: none */

enum body_state {
    BODY_NONE,
    BODY_WHOLE,
    BODY_UNTAKEN,   /* one was announced where on_header takes none */
    BODY_TOO_LARGE, /* for its route */
    BODY_NO_ROOM,   /* too much is held for others */
    BODY_SMUGGLED,  /* its length is told twice */
};
enum body_state exchange_body(const struct exchange *x);
const void *exchange_body_bytes(const struct exchange *x, size_t *ret_bytes); /* of BODY_WHOLE, terminated; else "" */

struct answer_header {
    const char *name, *value;
};
struct answer {
    unsigned http_status;
    const char *content_type;
    const struct answer_header *headers; /* further ones, until a NULL name; NULL: none */
    const void *body;                    /* copied */
    size_t body_bytes;
};
/* x is not the caller's after it. */
void exchange_answer(struct exchange *x, const struct answer *answer);

#endif
