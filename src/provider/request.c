#include "request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void provider_fu_id(int64_t account_id, int64_t message_id, int attempts, char ret[PROVIDER_FU_ID_BYTES])
{
    snprintf(ret, PROVIDER_FU_ID_BYTES, "%" PRId64 "-%" PRId64 "-%d", account_id, message_id, attempts);
}

static void free_secret(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

void provider_request_fini(struct provider_request *r)
{
    for (size_t i = 0; i < r->header_count; i++)
        free(r->headers[i]);
    free(r->url);
    free_secret(r->user_password);
    free(r->aws_sigv4);
    free(r->body);
    *r = (struct provider_request){ 0 };
}

struct transport_request provider_request_transport(const struct provider_request *r,
                                                    const struct provider_config *config)
{
    return (struct transport_request){
        .method = r->method,
        .url = r->url,
        .headers = (const char *const *)r->headers,
        .header_count = r->header_count,
        .user_password = r->user_password,
        .aws_sigv4 = r->aws_sigv4,
        .body = r->body,
        .body_bytes = r->body_bytes,
        .timeout_ms = config->timeout_ms,
        .connect_timeout_ms = config->connect_timeout_ms,
    };
}

enum status provider_request_header(struct provider_request *r, const char *name, const char *value)
{
    if (r->header_count == TRANSPORT_HEADERS_MAX)
        return E_LIMIT;
    for (const char *c = value; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return E_INVALID;
    }
    size_t name_bytes = strlen(name), value_bytes = strlen(value);
    char *line = malloc(name_bytes + 2 + value_bytes + 1);
    if (line == NULL)
        return E_NOMEM;
    memcpy(line, name, name_bytes);
    memcpy(line + name_bytes, ": ", 2);
    memcpy(line + name_bytes + 2, value, value_bytes + 1);
    r->headers[r->header_count++] = line;
    return OK;
}

enum status request_reserve(struct buf *body, const struct outgoing *m)
{
    size_t room = REQUEST_MEMBERS_BYTES + strlen(m->text) + (m->html != NULL ? strlen(m->html) : 0);
    return room < body->bytes_max ? buf_reserve(body, room) : E_LIMIT;
}

enum status request_bearer(struct provider_request *r, const char *key)
{
    char *bearer = NULL;
    if (asprintf(&bearer, "Bearer %s", key) < 0)
        return E_NOMEM;
    enum status st = provider_request_header(r, "Authorization", bearer);
    free_secret(bearer);
    return st;
}

enum status request_pair(const char *first, const char *second, char **ret)
{
    return asprintf(ret, "%s:%s", first, second) < 0 ? E_NOMEM : OK;
}

enum status request_url(struct provider_request *r, const struct provider_config *config, const char *path)
{
    size_t bytes = strlen(config->url);
    while (bytes > 0 && config->url[bytes - 1] == '/')
        bytes--;
    return asprintf(&r->url, "%.*s%s", (int)bytes, config->url, path) < 0 ? E_NOMEM : OK;
}

enum status request_finish(struct provider_request *r, struct buf *body, enum status st, struct provider_request *ret,
                           struct err *e)
{
    r->body_bytes = body->used;
    r->body = st == OK ? buf_take(body) : NULL;
    buf_fini(body);
    if (st == OK && r->body == NULL)
        st = err_set(e, E_NOMEM, "out of memory");
    else if (st == E_INVALID)
        err_set(e, st, "a part of the message is not valid UTF-8");
    else if (st == E_LIMIT)
        err_set(e, st, "the message is larger than %d MiB", PROVIDER_BODY_BYTES_MAX / 1024 / 1024);
    if (st != OK) {
        provider_request_fini(r);
        return st;
    }
    *ret = *r;
    return OK;
}
