/* app: the composition root. Knows everybody, builds the stages in the order in which messages flow, joins them with
 * callbacks, and takes them down from the source. No stage knows another but through what it is handed here.
 *
 * Life    running until SIGTERM or SIGINT; then draining (no new claims, POSTs end, results are recorded), releasing
 *         (leases are given back), closing. A second signal, or the end of [engine] drain, goes straight to closing:
 *         whatever was in flight stays `sending` in the database and is settled by the next owner. */
#ifndef FOLLOWUPD_APP_APP_H
#define FOLLOWUPD_APP_APP_H

#include "followupd/base/status.h"
#include "followupd/conf/file.h"

/* Runs until it is told to stop. conf is taken. Returns the process's exit status. */
int app_run(const char *conf_path, struct conf *conf);

#endif
