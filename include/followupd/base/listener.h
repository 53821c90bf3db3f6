/* listener: the socket a server listens on, from an address as it stands in a file or on a command line. */
#ifndef FOLLOWUPD_BASE_LISTENER_H
#define FOLLOWUPD_BASE_LISTENER_H

#include <stddef.h>
#include <stdint.h>

#include "followupd/base/status.h"

/* "127.0.0.1:8026", "[::1]:0"; numbers only, port 0: the kernel chooses. E_INVALID says what is wrong with it. */
MUST_USE enum status listener_check(const char *address, struct err *e);
/* *ret is the caller's to close. E_BUSY: somebody else has it. */
MUST_USE enum status listener_open(const char *address, int *ret, struct err *e);
/* As bound, in the same form; 64 bytes are enough. */
void listener_address(int fd, char *ret, size_t bytes);
/* Raises the process's limit of descriptors to that many; warns when it may not. */
void listener_allow(uint64_t descriptors);

#endif
