/* html: what a person reads in the HTML of a mail, as text. Pure.
 *
 * Result   blocks and table rows on lines of their own, paragraphs apart by one empty line, cells apart by a tab, "* "
 *          before a list item; what stands in <blockquote> begins with "> ", once a level, so that quote.h finds it.
 *          Scripts, styles, titles, comments and the targets of links are left out. No blanks at the end of a line.
 * Input    UTF-8 (text.h made it), however broken; no tree is built, so nesting costs nothing.
 * Errors   E_NOMEM. A full buffer cuts the text at a character and sets *cut (never cleared).
 * Cost     O(bytes), one pass. */
#ifndef FOLLOWUPD_INBOUND_HTML_H
#define FOLLOWUPD_INBOUND_HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "followupd/base/buf.h"

MUST_USE enum status html_text(const char *html, size_t bytes, struct buf *out, bool *cut);

#endif
