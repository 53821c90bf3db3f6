#include "followupd/base/listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "followupd/base/log.h"

#define BACKLOG 1024

static enum status split_address(const char *address, char *host, size_t host_bytes, const char **ret_port,
                                 struct err *e)
{
    const char *colon = strrchr(address, ':');
    size_t length = colon != NULL ? (size_t)(colon - address) : 0;
    if (length == 0 || colon[1] == '\0')
        return err_set(e, E_INVALID, "listen %s: must be ADDRESS:PORT", address);
    if (address[0] == '[' && address[length - 1] == ']') {
        address++;
        length -= 2;
    }
    if (length >= host_bytes)
        return err_set(e, E_INVALID, "listen %s: the address is too long", address);
    memcpy(host, address, length);
    host[length] = '\0';
    *ret_port = colon + 1;
    return OK;
}

static int bind_socket(const struct addrinfo *a)
{
    int one = 1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static enum status resolve(const char *address, struct addrinfo **ret, struct err *e)
{
    char host[64];
    const char *port = NULL;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
    enum status st = split_address(address, host, sizeof host, &port, e);
    if (st != OK)
        return st;
    int failed = getaddrinfo(host, port, &hints, ret);
    return failed == 0 ? OK : err_set(e, E_INVALID, "listen %s: %s", address, gai_strerror(failed));
}

enum status listener_check(const char *address, struct err *e)
{
    struct addrinfo *found = NULL;
    enum status st = resolve(address, &found, e);
    if (st == OK)
        freeaddrinfo(found);
    return st;
}

enum status listener_open(const char *address, int *ret, struct err *e)
{
    struct addrinfo *found = NULL;
    enum status st = resolve(address, &found, e);
    if (st != OK)
        return st;
    int fd = bind_socket(found);
    if (fd < 0)
        st = err_set(e, errno == EADDRINUSE ? E_BUSY : E_IO, "listen %s: %s", address, strerror(errno));
    freeaddrinfo(found);
    if (st == OK)
        *ret = fd;
    return st;
}

void listener_address(int fd, char *ret, size_t bytes)
{
    struct sockaddr_storage a;
    socklen_t length = sizeof a;
    char host[64] = "?", port[16] = "?";
    if (getsockname(fd, (struct sockaddr *)&a, &length) == 0)
        getnameinfo((struct sockaddr *)&a, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(ret, bytes, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, port);
}

void listener_allow(uint64_t descriptors)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= descriptors)
        return;
    limit.rlim_cur = limit.rlim_max < descriptors ? limit.rlim_max : descriptors;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < descriptors)
        log_warn("few_descriptors", kv("limit", (uint64_t)limit.rlim_cur), kv("wanted", descriptors));
}
