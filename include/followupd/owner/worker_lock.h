/* worker_lock: the file <state_dir>/worker.lock. One process at a time holds its lock (flock), so whoever holds it
 * knows that the workers named in it are dead, and may take their leases at once. It names the last owner; while the
 * leases of that one are not ours yet it names both, so that a crash in between loses no name. */
#ifndef FOLLOWUPD_OWNER_WORKER_LOCK_H
#define FOLLOWUPD_OWNER_WORKER_LOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "followupd/base/status.h"

#define WORKER_ID_BYTES    37 /* a uuid's text and its NUL */
#define WORKER_FORMERS_MAX 4

struct worker_lock {
    int fd;
    char former[WORKER_FORMERS_MAX][WORKER_ID_BYTES]; /* newest first */
    size_t former_count;
};

/* A random uuid. */
MUST_USE enum status worker_id_new(char ret[WORKER_ID_BYTES], struct err *e);
bool worker_id_valid(const char *text);

/* Takes the lock, reads the former owners, and puts our id before them. E_BUSY: another process holds it; the text
 * names the file. Blocks on the disk; for the start. */
MUST_USE enum status worker_lock_open(const char *state_dir, const char *worker, struct worker_lock *ret,
                                      struct err *e);
/* The formers' leases are ours: only our own id stays in the file. */
MUST_USE enum status worker_lock_settle(struct worker_lock *l, const char *worker, struct err *e);
void worker_lock_close(struct worker_lock *l); /* the file stays */

#endif
