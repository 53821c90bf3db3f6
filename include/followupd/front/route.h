/* route: which handler answers a method and a path. Pure but for the answer.
 *
 * A handler answers with exchange_answer before it returns; its context is whatever route_request was given. A route of
 * GET answers HEAD too. Errors are application/problem+json (RFC 9457) and say nothing of what is inside: 404 for a path
 * nobody has, 405 with Allow for another method, 413 for a body where none is taken. */
#ifndef FOLLOWUPD_FRONT_ROUTE_H
#define FOLLOWUPD_FRONT_ROUTE_H

#include "followupd/front/server.h"

struct route {
    const char *method, *path;
    void (*handle)(void *context, struct exchange *x);
};

/* routes end with a NULL method; those of one path stand together. */
void route_request(const struct route *routes, void *context, struct exchange *x);
/* A problem of its own: detail is a sentence for people. more: further members, from a comma on, or "". */
void route_problem(struct exchange *x, unsigned http_status, const char *title, const char *detail, const char *more);

#endif
