/* route: which handler answers a method and a path. Pure but for the answer.
 *
 * Patterns    "/webhooks/{}/{}": {} is a piece of 1 to ROUTE_PIECE_BYTES_MAX bytes without '/', given to the handler.
 * Handlers    answer with exchange_answer, then or later; their context is whatever route_request was given. A route of GET
 *             answers HEAD too.
 * Errors      are application/problem+json (RFC 9457) and say nothing of what is inside: 404 for a path nobody has, 405 with
 *             Allow for another method, 400 for a body whose length is told twice, 413 for one that is too large or where
 *             none is taken, 503 for one that there is no room for now.
 * Doors       a route with a door is asked with the header, before room for a body is reserved. Its handler is then called for
 *             a body that was not read, too, and answers it by route_unread: so it counts and tells whatever is refused. */
#ifndef FOLLOWUPD_FRONT_ROUTE_H
#define FOLLOWUPD_FRONT_ROUTE_H

#include "followupd/front/server.h"

#define ROUTE_PIECES_MAX      2
#define ROUTE_PIECE_BYTES_MAX 64
#define ROUTE_RETRY_SECONDS   "10" /* Retry-After of a 503 */

struct route_pieces {
    char text[ROUTE_PIECES_MAX][ROUTE_PIECE_BYTES_MAX + 1];
};

struct route {
    const char *method, *path;
    void (*handle)(void *context, struct exchange *x, const struct route_pieces *pieces);
    size_t body_bytes_max;                                          /* 0: takes no body */
    bool (*door)(void *context, const struct route_pieces *pieces); /* NULL: none. False: no body is taken */
};

/* Why a body was not read, as route_problem wants it. */
struct route_refusal {
    unsigned http_status;
    const char *title, *detail;
};

/* routes end with a NULL method; those of one path stand together. */
void route_request(const struct route *routes, void *context, struct exchange *x);
/* For server_config.on_header. */
size_t route_body_bytes_max(const struct route *routes, void *context, const struct exchange *x);
const struct route_refusal *route_unread(const struct exchange *x); /* NULL: it has no body, or one that was read */
/* A problem of its own: detail is a sentence for people. more: further members, from a comma on, or "". What JSON would
 * have to escape becomes '?'. A 503 says when to come again. */
void route_problem(struct exchange *x, unsigned http_status, const char *title, const char *detail, const char *more);

#endif
