/* quote: what the person wrote, without the message that the answer quotes. Pure.
 *
 * Removed   from the first of these to the end: a line "-----Original Message-----" (and its like in other languages), a
 *           forwarded message, Outlook's block of From, Sent, To, Subject, and "On ... wrote:" before text without marks.
 *           Lines that begin with ">", and the "On ... wrote:" above them; what stands between and below them is kept,
 *           for people answer there.
 * Kept      whatever is in doubt: a single ">" without "wrote:", "wrote:" without a date or an address. When nothing but
 *           blanks would be left, everything is.
 * Languages English, German, French, Spanish, Portuguese, Italian, Dutch, Danish, Norwegian, Swedish, Finnish, Polish,
 *           Czech, Russian, Turkish, Japanese, Chinese; others lose their ">" lines alone.
 * Errors    E_NOMEM, and E_LIMIT when out is too small: what is written is never longer than text.
 * Cost      O(bytes). */
#ifndef FOLLOWUPD_INBOUND_QUOTE_H
#define FOLLOWUPD_INBOUND_QUOTE_H

#include <stddef.h>

#include "followupd/base/buf.h"

/* text: UTF-8 with LF. Adds to out; no blank lines at its end or beginning. */
MUST_USE enum status quote_remove(const char *text, size_t bytes, struct buf *out);

#endif
