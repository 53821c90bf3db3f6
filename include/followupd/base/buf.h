/* buf: bytes that grow, born with their maximum. Going past it is E_LIMIT and leaves the content as it was, so that
 * nobody's input decides how much memory we use. `data` is always terminated with a NUL that `used` does not count. */
#ifndef FOLLOWUPD_BASE_BUF_H
#define FOLLOWUPD_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "followupd/base/status.h"

struct buf {
    char *data; /* owned; NULL until the first byte */
    size_t used, room, bytes_max;
};

void buf_init(struct buf *b, size_t bytes_max);
void buf_fini(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory */
/* Room for that many more bytes at once, where the caller knows; more grow it as before. */
MUST_USE enum status buf_reserve(struct buf *b, size_t bytes);
MUST_USE enum status buf_add(struct buf *b, const void *data, size_t bytes);
MUST_USE enum status buf_text(struct buf *b, const char *text);
MUST_USE enum status buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes, now the caller's to free; the buf is empty again. "" rather than NULL when nothing was written;
 * NULL: out of memory. */
char *buf_take(struct buf *b);

#endif
