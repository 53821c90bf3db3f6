#include "followupd/owner/worker_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

enum status worker_id_new(char ret[WORKER_ID_BYTES], struct err *e)
{
    unsigned char b[16];
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
        return err_set(e, E_IO, "getrandom: %s", strerror(errno));
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    for (int i = 0, at = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret[at++] = '-';
        at += snprintf(ret + at, 3, "%02x", b[i]);
    }
    return OK;
}

bool worker_id_valid(const char *text)
{
    for (int i = 0; i < WORKER_ID_BYTES - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : text[i] == '\0' || strchr("0123456789abcdef", text[i]) == NULL)
            return false;
    }
    return text[WORKER_ID_BYTES - 1] == '\0';
}

/* Lines that are no uuid are passed over: a torn write must not keep the daemon from starting. */
static void read_formers(struct worker_lock *l)
{
    char text[WORKER_FORMERS_MAX * WORKER_ID_BYTES + 1];
    ssize_t bytes = pread(l->fd, text, sizeof text - 1, 0);
    text[bytes > 0 ? bytes : 0] = '\0';
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        if (worker_id_valid(line) && l->former_count < WORKER_FORMERS_MAX)
            memcpy(l->former[l->former_count++], line, WORKER_ID_BYTES);
    }
}

static enum status write_ids(struct worker_lock *l, const char *worker, size_t formers, struct err *e)
{
    char text[(WORKER_FORMERS_MAX + 1) * WORKER_ID_BYTES + 1];
    size_t used = (size_t)snprintf(text, sizeof text, "%s\n", worker);
    for (size_t i = 0; i < formers && i + 1 < WORKER_FORMERS_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\n", l->former[i]);
    if (pwrite(l->fd, text, used, 0) != (ssize_t)used || ftruncate(l->fd, (off_t)used) != 0 || fsync(l->fd) != 0)
        return err_set(e, E_IO, "worker.lock: %s", strerror(errno));
    return OK;
}

enum status worker_lock_open(const char *state_dir, const char *worker, struct worker_lock *ret, struct err *e)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/worker.lock", state_dir) >= sizeof path)
        return err_set(e, E_LIMIT, "the state directory's name is too long: %.100s...", state_dir);
    struct worker_lock l = { .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) };
    if (l.fd < 0)
        return err_set(e, E_IO, "%s: %s", path, strerror(errno));
    enum status st = OK;
    if (flock(l.fd, LOCK_EX | LOCK_NB) != 0)
        st = errno == EWOULDBLOCK ? err_set(e, E_BUSY, "%s: another followupd runs with this state directory", path)
                                  : err_set(e, E_IO, "%s: %s", path, strerror(errno));
    if (st == OK) {
        read_formers(&l);
        st = write_ids(&l, worker, l.former_count, e);
    }
    if (st != OK) {
        close(l.fd);
        return st;
    }
    *ret = l;
    return OK;
}

enum status worker_lock_settle(struct worker_lock *l, const char *worker, struct err *e)
{
    l->former_count = 0;
    return write_ids(l, worker, 0, e);
}

void worker_lock_close(struct worker_lock *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}
