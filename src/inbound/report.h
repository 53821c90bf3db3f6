/* report: what a mail server says became of a message (message/delivery-status, RFC 3464). Private to src/inbound. */
#ifndef FOLLOWUPD_INBOUND_REPORT_H
#define FOLLOWUPD_INBOUND_REPORT_H

#include "draft.h"
#include "followupd/inbound/form.h"

/* Adds to d->reports an object for each recipient that has an Action we know: kind, action, recipient, status, smtp_code,
 * detail. Whether it is final, Action says (a failed 4.x.x is); Status says why. Broken lines are passed over.
 * Errors: E_NOMEM. Cost O(bytes). */
MUST_USE enum status report_read(struct draft *d, const void *bytes, size_t count);

/* The same of a mail that came in pieces: the status is a file among the fields. Nothing unless d->is_report. */
MUST_USE enum status report_read_attached(struct draft *d, const struct form *form);

#endif
