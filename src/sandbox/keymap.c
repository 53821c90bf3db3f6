#include "keymap.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_AT_FIRST 1024

static uint64_t hash_of(const struct keymap *m, const char *key)
{
    uint8_t bytes[crypto_shorthash_BYTES];
    uint64_t hash;
    crypto_shorthash(bytes, (const uint8_t *)key, strlen(key), m->hash_key);
    memcpy(&hash, bytes, sizeof hash);
    return hash;
}

static struct keymap_node **slot_of(const struct keymap *m, uint64_t hash)
{
    return &m->slots[hash & (m->slots_count - 1)];
}

enum status keymap_init(struct keymap *m)
{
    *m =
        (struct keymap){ .slots = calloc(SLOTS_AT_FIRST, sizeof(struct keymap_node *)), .slots_count = SLOTS_AT_FIRST };
    if (m->slots == NULL)
        return E_NOMEM;
    randombytes_buf(m->hash_key, sizeof m->hash_key);
    return OK;
}

void keymap_fini(struct keymap *m, void (*node_free)(struct keymap_node *node))
{
    for (size_t i = 0; m->slots != NULL && i < m->slots_count; i++) {
        for (struct keymap_node *node = m->slots[i], *next; node != NULL; node = next) {
            next = node->next;
            node_free(node);
        }
    }
    free(m->slots);
    *m = (struct keymap){ 0 };
}

struct keymap_node *keymap_find(const struct keymap *m, const char *key)
{
    uint64_t hash = hash_of(m, key);
    for (struct keymap_node *node = *slot_of(m, hash); node != NULL; node = node->next) {
        if (node->hash == hash && strcmp(node->key, key) == 0)
            return node;
    }
    return NULL;
}

static enum status double_slots(struct keymap *m)
{
    struct keymap larger = *m;
    larger.slots_count = m->slots_count * 2;
    larger.slots = calloc(larger.slots_count, sizeof(struct keymap_node *));
    if (larger.slots == NULL)
        return E_NOMEM;
    for (size_t i = 0; i < m->slots_count; i++) {
        for (struct keymap_node *node = m->slots[i], *next; node != NULL; node = next) {
            next = node->next;
            struct keymap_node **slot = slot_of(&larger, node->hash);
            node->next = *slot;
            *slot = node;
        }
    }
    free(m->slots);
    *m = larger;
    return OK;
}

enum status keymap_add(struct keymap *m, struct keymap_node *node, const char *key)
{
    if (m->used >= m->slots_count) {
        enum status st = double_slots(m);
        if (st != OK)
            return st;
    }
    node->key = key;
    node->hash = hash_of(m, key);
    struct keymap_node **slot = slot_of(m, node->hash);
    node->next = *slot;
    *slot = node;
    m->used++;
    return OK;
}
