#include "http_server.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct http_connection {
    uv_tcp_t tcp;
    struct http_server *server;
    struct http_connection *next;
    char in[16384];
    size_t used;
    bool closing;
};

static char endless[65536];

static void on_closed(uv_handle_t *handle)
{
    struct http_connection *c = handle->data, **at = &c->server->open;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    free(c);
}

static void close_connection(struct http_connection *c)
{
    if (!c->closing)
        uv_close((uv_handle_t *)&c->tcp, on_closed);
    c->closing = true;
}

static void on_written(uv_write_t *w, int status)
{
    struct http_connection *c = w->handle->data;
    bool close_now = w->data != NULL;
    (void)status;
    free(w);
    if (close_now)
        close_connection(c);
}

static void send_text(struct http_connection *c, const char *text, size_t bytes, bool then_close)
{
    uv_write_t *w = calloc(1, sizeof *w);
    uv_buf_t buf = uv_buf_init((char *)text, (unsigned)bytes);
    w->data = then_close ? c : NULL;
    uv_write(w, (uv_stream_t *)&c->tcp, &buf, 1, on_written);
}

static void act(struct http_connection *c)
{
    struct http_server *s = c->server;
    size_t n = s->requests < s->step_count ? s->requests : s->step_count - 1;
    const struct server_step *step = &s->steps[n];
    s->requests++;
    memcpy(s->last, c->in, c->used + 1);
    c->used = 0;
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 131072\r\n\r\n";
    switch (step->action) {
    case SERVER_ANSWER:
        send_text(c, step->text, strlen(step->text), false);
        break;
    case SERVER_ANSWER_AND_CLOSE:
        send_text(c, step->text, strlen(step->text), true);
        break;
    case SERVER_CLOSE:
        close_connection(c);
        break;
    case SERVER_SILENT:
        break;
    case SERVER_HUGE:
        memset(endless, 'x', sizeof endless);
        send_text(c, head, sizeof head - 1, false);
        send_text(c, endless, sizeof endless, false);
        send_text(c, endless, sizeof endless, false);
        break;
    }
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct http_connection *c = handle->data;
    (void)hint;
    *buf = uv_buf_init(c->in + c->used, (unsigned)(sizeof c->in - 1 - c->used));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct http_connection *c = stream->data;
    (void)buf;
    if (got < 0) {
        close_connection(c);
        return;
    }
    c->used += (size_t)got;
    c->in[c->used] = '\0';
    const char *end = strstr(c->in, "\r\n\r\n"), *length = strcasestr(c->in, "content-length:");
    if (end == NULL)
        return;
    size_t body_bytes = length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0;
    size_t whole = (size_t)(end + 4 - c->in) + body_bytes;
    if (c->used >= whole)
        act(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct http_server *s = listener->data;
    assert(status == 0);
    struct http_connection *c = calloc(1, sizeof *c);
    uv_tcp_init(listener->loop, &c->tcp);
    c->tcp.data = c;
    c->server = s;
    c->next = s->open;
    s->open = c;
    s->connections++;
    uv_accept(listener, (uv_stream_t *)&c->tcp);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

void http_server_start(struct http_server *s, uv_loop_t *loop, const struct server_step *steps, size_t count)
{
    struct sockaddr_in address;
    int bytes = sizeof address;
    *s = (struct http_server){ .step_count = count };
    memcpy(s->steps, steps, count * sizeof *steps);
    uv_tcp_init(loop, &s->listener);
    s->listener.data = s;
    uv_ip4_addr("127.0.0.1", 0, &address);
    int bad = uv_tcp_bind(&s->listener, (struct sockaddr *)&address, 0);
    bad |= uv_listen((uv_stream_t *)&s->listener, 64, on_connection);
    bad |= uv_tcp_getsockname(&s->listener, (struct sockaddr *)&address, &bytes);
    assert(bad == 0);
    s->port = ntohs(address.sin_port);
}

void http_server_stop(struct http_server *s)
{
    uv_close((uv_handle_t *)&s->listener, NULL);
    for (struct http_connection *c = s->open; c != NULL; c = c->next)
        close_connection(c);
}
