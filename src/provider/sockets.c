#include "sockets.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "followupd/base/list.h"

struct watched {
    uv_poll_t poll;
    struct list node;        /* in sockets->ready, while there are events */
    int events;              /* CURL_CSELECT_*: that curl has not been told of */
    struct sockets *sockets; /* NULL once it is closing */
    curl_socket_t fd;
    int wanted, armed; /* UV_READABLE | UV_WRITABLE: what curl asks for, what the loop watches */
    bool ours;         /* made by sockets_open; others are the resolver's pair */
    bool kept; /* ours and connected: curl may keep it, and tells when it closes it; others live until their remove */
};

struct sockets {
    uv_loop_t *loop;
    sockets_event_cb on_event;
    void *arg;
    struct list ready;      /* struct watched, as their events came */
    struct watched **by_fd; /* grows to the highest descriptor; the process's limit bounds it */
    size_t room;
};

struct sockets *sockets_new(uv_loop_t *loop, sockets_event_cb on_event, void *arg)
{
    struct sockets *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    *s = (struct sockets){ .loop = loop, .on_event = on_event, .arg = arg };
    list_init(&s->ready);
    return s;
}

void sockets_free(struct sockets *s)
{
    if (s == NULL)
        return;
    free(s->by_fd);
    free(s);
}

static struct watched *find(const struct sockets *s, curl_socket_t fd)
{
    return (size_t)fd < s->room ? s->by_fd[fd] : NULL;
}

static bool make_room(struct sockets *s, curl_socket_t fd)
{
    size_t room = s->room == 0 ? 64 : s->room;
    while (room <= (size_t)fd)
        room *= 2;
    if (room == s->room)
        return true;
    struct watched **by_fd = realloc(s->by_fd, room * sizeof *by_fd);
    if (by_fd == NULL)
        return false;
    for (size_t i = s->room; i < room; i++)
        by_fd[i] = NULL;
    s->by_fd = by_fd;
    s->room = room;
    return true;
}

static void on_handle_closed(uv_handle_t *handle)
{
    free(handle); /* poll is the first member */
}

static void forget(struct watched *w)
{
    w->sockets->by_fd[w->fd] = NULL;
    w->sockets = NULL;
    list_remove(&w->node);
    uv_poll_stop(&w->poll); /* from here on the loop no longer knows the descriptor: it may be closed */
    uv_close((uv_handle_t *)&w->poll, on_handle_closed);
}

static struct watched *watch(struct sockets *s, curl_socket_t fd)
{
    if (find(s, fd) != NULL)
        forget(find(s, fd)); /* of an earlier socket of that number, which curl closed by itself */
    if (!make_room(s, fd))
        return NULL;
    struct watched *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    if (uv_poll_init_socket(s->loop, &w->poll, fd) != 0) {
        free(w);
        return NULL;
    }
    list_init(&w->node);
    w->sockets = s;
    w->fd = fd;
    s->by_fd[fd] = w;
    return w;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void arm(struct watched *w)
{
    w->armed = w->wanted;
    if (w->armed == 0)
        uv_poll_stop(&w->poll);
    else
        uv_poll_start(&w->poll, w->armed, on_poll);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watched *w = (struct watched *)poll;
    int found = status < 0 ? w->wanted : events & w->wanted;
    if (status < 0)
        w->armed = 0; /* libuv has stopped watching it */
    else if (found != events)
        arm(w);
    if (found == 0)
        return;
    if (w->events == 0)
        list_append(&w->sockets->ready, &w->node);
    w->events |= (status < 0 ? CURL_CSELECT_ERR : 0) | (found & UV_READABLE ? CURL_CSELECT_IN : 0) |
                 (found & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
}

bool sockets_serve(struct sockets *s, size_t events_max)
{
    struct list *node;
    for (size_t i = 0; i < events_max && (node = list_take_first(&s->ready)) != NULL; i++) {
        struct watched *w = container_of(node, struct watched, node);
        curl_socket_t fd = w->fd;
        int events = w->events;
        w->events = 0;
        s->on_event(s->arg, fd, events); /* may close it, and open another of the same number */
        w = find(s, fd);
        if (w != NULL && (w->wanted & ~w->armed) != 0)
            arm(w);
    }
    return !list_empty(&s->ready);
}

curl_socket_t sockets_open(void *sockets, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct sockets *s = sockets;
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    struct watched *w = watch(s, fd);
    if (w == NULL) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    w->ours = true;
    return fd;
}

int sockets_close(void *sockets, curl_socket_t fd)
{
    struct watched *w = find(sockets, fd);
    if (w != NULL)
        forget(w);
    return close(fd);
}

/* curl closes a socket that never connected without telling (sockets_close); by now its number is nobody's. */
static bool is_connected(curl_socket_t fd)
{
    struct sockaddr_storage peer;
    socklen_t bytes = sizeof peer;
    return getpeername(fd, (struct sockaddr *)&peer, &bytes) == 0;
}

int sockets_want(CURL *easy, curl_socket_t fd, int what, void *sockets, void *unused)
{
    (void)easy;
    (void)unused;
    struct sockets *s = sockets;
    struct watched *w = find(s, fd);
    if (what == CURL_POLL_REMOVE) {
        if (w != NULL && w->ours && !w->kept)
            w->kept = is_connected(fd);
        if (w != NULL && !w->kept)
            forget(w);
        else if (w != NULL)
            w->wanted = 0;
        return 0;
    }
    if (w == NULL)
        w = watch(s, fd);
    if (w == NULL)
        return -1;
    w->wanted = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    if ((w->wanted & ~w->armed) != 0)
        arm(w);
    return 0;
}
