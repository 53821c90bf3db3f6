/* service: the process as systemd and a terminal see it: signals in, READY, STOPPING, RELOADING and WATCHDOG out.
 *
 * SIGTERM and SIGINT ask for a drain, a second one for an end at once; SIGHUP for a reload. Without NOTIFY_SOCKET the
 * notices go nowhere, and nothing else changes. None waits for its reader: while his queue is full the last state and the
 * last line are told again until he takes them.
 *
 * Watchdog   with WATCHDOG_USEC set, WATCHDOG=1 is sent every third of it, from the loop, and only while is_alive()
 *            says so: a loop that turns around a dead engine must be killed too.
 * Ownership  service_open's result is the caller's; on_closed of service_close runs when the loop has let go of it. */
#ifndef FOLLOWUPD_APP_SERVICE_H
#define FOLLOWUPD_APP_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "followupd/base/status.h"

struct service;

struct service_events {
    void *arg;
    void (*on_stop)(void *arg, bool now); /* now: asked for the second time */
    void (*on_reload)(void *arg);
    bool (*is_alive)(void *arg);
};

MUST_USE enum status service_open(uv_loop_t *loop, const struct service_events *events, struct service **ret,
                                  struct err *e);
void service_ready(struct service *s, const char *status_line);
/* Before ready: the start takes at least that much longer, so whoever waits for it must not give up. */
void service_waiting(struct service *s, const char *status_line, int64_t longer_ms);
void service_stopping(struct service *s);
void service_reloading(struct service *s);
void service_status(struct service *s, const char *status_line); /* what `systemctl status` shows */
void service_close(struct service *s);                           /* closes handles; freed by the loop */

#endif
