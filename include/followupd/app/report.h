/* report: the figures go to the database every REPORT_MS, so that `followupctl status --watch` and psql show them from
 * any host, of every worker. Histograms become the percentiles of the last one to two minutes.
 *
 * Bounds     one report is under way at a time; a turn that finds the last one unanswered, or the database away, is left
 *            out. */
#ifndef FOLLOWUPD_APP_REPORT_H
#define FOLLOWUPD_APP_REPORT_H

#include <uv.h>

#include "followupd/base/status.h"
#include "followupd/front/figures.h"
#include "followupd/store/store.h"

#define REPORT_MS 2000

struct report;

MUST_USE enum status report_open(uv_loop_t *loop, struct store *store, void (*figures)(void *arg, struct figures *ret),
                                 void *arg, struct report **ret, struct err *e);
/* What the last report was answered; NAN: nothing yet. */
double report_reply_alerts(const struct report *r);
/* Close the store first. Frees it, from the loop. */
void report_close(struct report *r);

#endif
