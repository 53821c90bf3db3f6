/* mime: a mail as it travels (RFC 5322 and MIME), into a draft. Private to src/inbound. GMime does the parsing.
 *
 * Text      of multipart/alternative the plain form if it has one; of other multiparts each part in turn; attachments,
 *           attached mails and encrypted parts are left out. Charsets and transfer encodings are undone.
 * Reports   of multipart/report the delivery status goes to report.h, with the Message-ID of the mail it is about.
 * Bounds    parts nested deeper than MIME_DEPTH_MAX are not looked into, and a mail is read no further than to the place
 *           where it is over one of the others below: the text stands before that in all but hostile mails.
 * Errors    E_INVALID (no header at all), E_NOMEM; the text names what.
 * Cost      O(bytes). A copy of the mail is made.
 */
#ifndef FOLLOWUPD_INBOUND_MIME_H
#define FOLLOWUPD_INBOUND_MIME_H

#include "draft.h"

#define MIME_DEPTH_MAX        20
#define MIME_LINES_MAX        10000        /* that may be a header or a boundary */
#define MIME_HEADER_BYTES_MAX (512 * 1024) /* of those lines */
#define MIME_COLONS_MAX       500          /* in one header of addresses: each may open a group */

MUST_USE enum status mime_read(struct draft *d, const void *bytes, size_t count, struct err *e);

/* The header lines alone, as providers hand them over beside the text. */
MUST_USE enum status mime_headers(struct draft *d, const void *bytes, size_t count, struct err *e);

#endif
