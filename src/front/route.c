#include "followupd/front/route.h"

#include <stdio.h>
#include <string.h>

#define PROBLEM_BYTES_MAX 1024
#define ALLOW_BYTES_MAX   64

static void answer_problem(struct exchange *x, unsigned http_status, const char *allow, const char *title,
                           const char *detail, const char *more)
{
    char body[PROBLEM_BYTES_MAX];
    int bytes =
        snprintf(body, sizeof body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":\"%s\"%s}\n",
                 title, http_status, detail, more);
    exchange_answer(x, &(struct answer){
                           .http_status = http_status,
                           .content_type = "application/problem+json",
                           .allow = allow,
                           .body = body,
                           .body_bytes = bytes < (int)sizeof body ? (size_t)bytes : sizeof body - 1,
                       });
}

void route_problem(struct exchange *x, unsigned http_status, const char *title, const char *detail, const char *more)
{
    answer_problem(x, http_status, NULL, title, detail, more);
}

static bool takes(const struct route *r, const char *method)
{
    return strcmp(r->method, method) == 0 || (strcmp(r->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void answer_method(struct exchange *x, const struct route *r)
{
    char allow[ALLOW_BYTES_MAX] = "";
    for (const char *path = r->path; r->method != NULL && strcmp(r->path, path) == 0; r++) {
        size_t used = strlen(allow);
        snprintf(allow + used, sizeof allow - used, "%s%s%s", used > 0 ? ", " : "", r->method,
                 strcmp(r->method, "GET") == 0 ? ", HEAD" : "");
    }
    answer_problem(x, 405, allow, "Method Not Allowed", "this path takes another method: see Allow", "");
}

void route_request(const struct route *routes, void *context, struct exchange *x)
{
    const struct route *of_path = NULL;
    for (const struct route *r = routes; r->method != NULL; r++) {
        if (strcmp(r->path, exchange_path(x)) != 0)
            continue;
        if (of_path == NULL)
            of_path = r;
        if (!takes(r, exchange_method(x)))
            continue;
        if (exchange_has_body(x))
            route_problem(x, 413, "Content Too Large", "this path takes no body", "");
        else
            r->handle(context, x);
        return;
    }
    if (of_path != NULL)
        answer_method(x, of_path);
    else
        route_problem(x, 404, "Not Found", "there is nothing at this path", "");
}
