/* text: bytes in whatever charset they claim, as text that can be stored. Pure.
 *
 * Result   valid UTF-8 without NUL; LF ends a line (CR LF and CR become one); tabs stay, other control characters (C0,
 *          DEL, C1) and byte order marks go. TEXT_LINE: line breaks, tabs and blanks are one blank, at either end none.
 * Charset  names as mail has them, in any case. As browsers do, those that are sent for a larger one are read as it:
 *          ISO-8859-1 as windows-1252, gb2312 as gb18030, Shift_JIS as CP932. NULL, "", us-ascii, and a name that iconv
 *          does not know: UTF-8 if the bytes are that, else windows-1252. Bytes that are no character: U+FFFD.
 * Errors   E_NOMEM. A full buffer is none: the text is cut at a character and *cut set (never cleared).
 * Cost     O(bytes). */
#ifndef FOLLOWUPD_INBOUND_TEXT_H
#define FOLLOWUPD_INBOUND_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "followupd/base/buf.h"

enum text_shape { TEXT_BODY, TEXT_LINE };

/* Adds to out, up to its bytes_max. cut may be NULL. */
MUST_USE enum status text_add(struct buf *out, enum text_shape shape, const char *charset, const void *bytes,
                              size_t count, bool *cut);

/* These bytes, which hold no NUL and need none behind them, as a string of the caller's. NULL: out of memory. */
char *text_copy(const char *text, size_t bytes);

/* Nothing in it but blanks and line breaks. */
bool text_blank(const char *text, size_t bytes);

#endif
