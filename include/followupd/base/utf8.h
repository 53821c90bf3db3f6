/* utf8: is it UTF-8? Strict: no surrogates, nothing over U+10FFFF, no overlong form. Where may it be cut? Pure. */
#ifndef FOLLOWUPD_BASE_UTF8_H
#define FOLLOWUPD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at text, of which `left` bytes (at least one) may be read; 0: there is none. */
size_t utf8_length(const char *text, size_t left);
bool utf8_valid(const char *text, size_t bytes);
/* How many of the first bytes_max bytes of UTF-8 end with a whole character. */
size_t utf8_cut(const char *text, size_t bytes, size_t bytes_max);

#endif
