#include "followupd/front/route.h"

#include <stdio.h>
#include <string.h>

#define PROBLEM_BYTES_MAX 1024
#define DETAIL_BYTES_MAX  400
#define ALLOW_BYTES_MAX   64

static void answer_problem(struct exchange *x, unsigned http_status, const struct answer_header *headers,
                           const char *title, const char *detail, const char *more)
{
    char body[PROBLEM_BYTES_MAX], plain[DETAIL_BYTES_MAX];
    snprintf(plain, sizeof plain, "%s", detail);
    for (char *c = plain; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ' || (unsigned char)*c > '~')
            *c = '?';
    }
    int bytes =
        snprintf(body, sizeof body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":\"%s\"%s}\n",
                 title, http_status, plain, more);
    exchange_answer(x, &(struct answer){
                           .http_status = http_status,
                           .content_type = "application/problem+json",
                           .headers = headers,
                           .body = body,
                           .body_bytes = bytes < (int)sizeof body ? (size_t)bytes : sizeof body - 1,
                       });
}

void route_problem(struct exchange *x, unsigned http_status, const char *title, const char *detail, const char *more)
{
    static const struct answer_header again[] = { { "Retry-After", ROUTE_RETRY_SECONDS }, { NULL, NULL } };
    answer_problem(x, http_status, http_status == 503 ? again : NULL, title, detail, more);
}

/* --- which route ------------------------------------------------------------------------------------------------ */

static bool matches(const char *pattern, const char *path, struct route_pieces *ret)
{
    size_t piece = 0;
    while (*pattern != '\0') {
        if (strncmp(pattern, "{}", 2) == 0) {
            size_t bytes = strcspn(path, "/");
            if (bytes == 0 || bytes > ROUTE_PIECE_BYTES_MAX || piece == ROUTE_PIECES_MAX)
                return false;
            memcpy(ret->text[piece], path, bytes);
            ret->text[piece++][bytes] = '\0';
            pattern += 2;
            path += bytes;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool takes(const struct route *r, const char *method)
{
    return strcmp(r->method, method) == 0 || (strcmp(r->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* of_path: the first route of the path, whatever its method; NULL: none. */
static const struct route *find(const struct route *routes, const struct exchange *x, struct route_pieces *pieces,
                                const struct route **of_path)
{
    *of_path = NULL;
    for (const struct route *r = routes; r->method != NULL; r++) {
        if (!matches(r->path, exchange_path(x), pieces))
            continue;
        if (*of_path == NULL)
            *of_path = r;
        if (takes(r, exchange_method(x)))
            return r;
    }
    return NULL;
}

size_t route_body_bytes_max(const struct route *routes, void *context, const struct exchange *x)
{
    struct route_pieces pieces;
    const struct route *of_path, *r = find(routes, x, &pieces, &of_path);
    return r != NULL && (r->door == NULL || r->door(context, &pieces)) ? r->body_bytes_max : 0;
}

/* --- what is answered without a handler --------------------------------------------------------------------------- */

static void answer_method(struct exchange *x, const struct route *r)
{
    char allow[ALLOW_BYTES_MAX] = "";
    for (const char *path = r->path; r->method != NULL && strcmp(r->path, path) == 0; r++) {
        size_t used = strlen(allow);
        snprintf(allow + used, sizeof allow - used, "%s%s%s", used > 0 ? ", " : "", r->method,
                 strcmp(r->method, "GET") == 0 ? ", HEAD" : "");
    }
    const struct answer_header headers[] = { { "Allow", allow }, { NULL, NULL } };
    answer_problem(x, 405, headers, "Method Not Allowed", "this path takes another method: see Allow", "");
}

const struct route_refusal *route_unread(const struct exchange *x)
{
    static const struct route_refusal refusals[] = {
        [BODY_UNTAKEN] = { 413, "Content Too Large", "this path takes no body" },
        [BODY_TOO_LARGE] = { 413, "Content Too Large", "the body is larger than this path takes" },
        [BODY_NO_ROOM] = { 503, "Service Unavailable", "too many bodies are being read" },
        [BODY_SMUGGLED] = { 400, "Bad Request", "the length of the body is told twice, or its coding is not chunked" },
    };
    const struct route_refusal *r = &refusals[exchange_body(x)];
    return r->http_status != 0 ? r : NULL;
}

void route_request(const struct route *routes, void *context, struct exchange *x)
{
    struct route_pieces pieces;
    const struct route *of_path, *r = find(routes, x, &pieces, &of_path);
    const struct route_refusal *unread = route_unread(x);
    if (r != NULL && (unread == NULL || r->door != NULL))
        r->handle(context, x, &pieces);
    else if (r != NULL || exchange_body(x) == BODY_SMUGGLED)
        route_problem(x, unread->http_status, unread->title, unread->detail, "");
    else if (of_path == NULL)
        route_problem(x, 404, "Not Found", "there is nothing at this path", "");
    else
        answer_method(x, of_path);
}
