/* html_entity: the character that &name; or &#number; stands for. Private to src/inbound. */
#ifndef FOLLOWUPD_INBOUND_HTML_ENTITY_H
#define FOLLOWUPD_INBOUND_HTML_ENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTITY_BYTES_MAX 10 /* between & and ; */

/* text begins with &, and `left` bytes of it may be read. How many of them are the reference, and its code point, which
 * is no control character and no surrogate; 0: it is no reference that we know, so the & is meant. */
size_t html_entity(const char *text, size_t left, uint32_t *ret);

#endif
