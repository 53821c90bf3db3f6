/* roff: text for manual pages, so that nothing in it is taken for a request or an escape. The programs print their own
 * pages from the tables that they read their input with; this is the little that they share.
 *
 * Units    bytes of UTF-8; no line is added or lost.
 * Cost     a byte a call of putc: pages are printed once, at release. */
#ifndef FOLLOWUPD_BASE_ROFF_H
#define FOLLOWUPD_BASE_ROFF_H

#include <stdio.h>

/* Words for people. Two hyphens stay what a shell reads. */
void roff_prose(FILE *out, const char *text);
/* What is typed or read by a program: every hyphen, quote and tilde is the one on the keyboard. */
void roff_code(FILE *out, const char *text);
/* Text of several lines: lines that begin with a blank are shown as they stand, the others are filled. */
void roff_help(FILE *out, const char *text);
/* .TH, and a comment that says which command prints the page. section: "5". */
void roff_title(FILE *out, const char *name, const char *section, const char *printed_by);

#endif
