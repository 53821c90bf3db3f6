/* keymap: finds a struct by a text. Intrusive: the node is a member of the struct it finds, which owns the text too.
 *
 * Ownership  the map owns its slots, never a node; keymap_fini hands every node to the caller's function.
 * Errors     keymap_init and keymap_add can run out of memory; the map is then as it was.
 * Cost       find and add O(1); doubling visits every node once. The hash is seeded, so no input makes it slow. */
#ifndef SANDBOX_KEYMAP_H
#define SANDBOX_KEYMAP_H

#include <stddef.h>
#include <stdint.h>

#include "followupd/base/status.h"

struct keymap_node {
    struct keymap_node *next;
    uint64_t hash;
    const char *key; /* borrowed from the struct around the node */
};

struct keymap {
    struct keymap_node **slots; /* owned; a power of two of them */
    size_t slots_count, used;
    uint8_t hash_key[16];
};

MUST_USE enum status keymap_init(struct keymap *m);
void keymap_fini(struct keymap *m, void (*node_free)(struct keymap_node *node));
struct keymap_node *keymap_find(const struct keymap *m, const char *key); /* NULL: not there */
/* The key must not be there yet. */
MUST_USE enum status keymap_add(struct keymap *m, struct keymap_node *node, const char *key);

#endif
