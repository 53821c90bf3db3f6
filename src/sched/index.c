/* Two arrays: keys by id, and an open-addressing hash of ids (linear probing, at most 3/4 full, no tombstones:
 * removing shifts back what follows). A free entry is chained to the next free one through message_id. */
#include "followupd/sched/index.h"

#include <stdlib.h>
#include <string.h>

#define EMPTY       UINT32_MAX
#define ENTRIES_MAX (1u << 31)
#define SLOTS_MIN   16u

struct index {
    struct index_key *key; /* owned; by id */
    uint8_t *used;         /* owned; one bit an entry: it is not free */
    uint32_t *slot;        /* owned; ids, EMPTY where there is none */
    uint32_t entries_max, slots_max;
    uint32_t end; /* entries ever used */
    uint32_t count;
    uint32_t free_first; /* EMPTY: none */
};

/* Fixed, not seeded: the keys come from our own sequences, not from strangers. */
static uint64_t hash(int64_t account_id, int64_t message_id)
{
    uint64_t h = (uint64_t)message_id * 0x9E3779B97F4A7C15ull ^ (uint64_t)account_id * 0xC2B2AE3D27D4EB4Full;
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9ull;
    h = (h ^ h >> 27) * 0x94D049BB133111EBull;
    return h ^ h >> 31;
}

/* Where probing for a key begins. Multiplication instead of a mask, so that the size need not be a power of two. */
static uint32_t home(const struct index *x, const struct index_key *k)
{
    return (uint32_t)((hash(k->account_id, k->message_id) >> 32) * x->slots_max >> 32);
}

static uint32_t after(const struct index *x, uint32_t slot)
{
    return slot + 1 == x->slots_max ? 0 : slot + 1;
}

static bool is_used(const struct index *x, uint32_t id)
{
    return id < x->end && (x->used[id / 8] >> (id % 8) & 1);
}

/* The slot that holds the key, or the empty one where it would go. */
static uint32_t probe(const struct index *x, const struct index_key *k)
{
    uint32_t s = home(x, k);
    while (x->slot[s] != EMPTY) {
        const struct index_key *have = &x->key[x->slot[s]];
        if (have->message_id == k->message_id && have->account_id == k->account_id)
            break;
        s = after(x, s);
    }
    return s;
}

/* ---- memory ---- */

static uint32_t slots_for(uint32_t entries)
{
    uint64_t slots = (uint64_t)entries * 4 / 3 + 2;
    return slots < SLOTS_MIN ? SLOTS_MIN : (uint32_t)slots;
}

static enum status slots_grow(struct index *x, uint32_t entries)
{
    uint32_t slots_max = slots_for(entries);
    uint32_t *slot = malloc((size_t)slots_max * sizeof *slot);
    if (slot == NULL)
        return E_NOMEM;
    memset(slot, 0xff, (size_t)slots_max * sizeof *slot);
    free(x->slot);
    x->slot = slot;
    x->slots_max = slots_max;
    for (uint32_t id = 0; id < x->end; id++) {
        if (is_used(x, id))
            x->slot[probe(x, &x->key[id])] = id;
    }
    return OK;
}

/* Room for so many entries. On failure nothing has changed that anyone could see. */
static enum status grow(struct index *x, uint32_t entries)
{
    struct index_key *key = realloc(x->key, (size_t)entries * sizeof *key);
    if (key == NULL)
        return E_NOMEM;
    x->key = key;
    uint8_t *used = realloc(x->used, (size_t)entries / 8 + 1);
    if (used == NULL)
        return E_NOMEM;
    x->used = used;
    enum status st = slots_grow(x, entries);
    if (st == OK)
        x->entries_max = entries;
    return st;
}

struct index *index_new(uint32_t entries_hint)
{
    struct index *x = calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    x->free_first = EMPTY;
    if (grow(x, entries_hint < 8 ? 8 : entries_hint > ENTRIES_MAX ? ENTRIES_MAX : entries_hint) != OK) {
        index_free(x);
        return NULL;
    }
    return x;
}

void index_free(struct index *x)
{
    if (x == NULL)
        return;
    free(x->key);
    free(x->used);
    free(x->slot);
    free(x);
}

/* ---- add, find, remove ---- */

static enum status make_room(struct index *x)
{
    if (x->free_first != EMPTY || x->end < x->entries_max)
        return OK;
    if (x->entries_max == ENTRIES_MAX)
        return E_LIMIT;
    uint64_t more = x->entries_max + (uint64_t)x->entries_max / 4 + 8;
    return grow(x, more < ENTRIES_MAX ? (uint32_t)more : ENTRIES_MAX);
}

static uint32_t id_take(struct index *x)
{
    uint32_t id = x->free_first;
    if (id == EMPTY) {
        id = x->end++;
        if (id % 8 == 0)
            x->used[id / 8] = 0; /* first touch of this byte */
    } else {
        x->free_first = (uint32_t)x->key[id].message_id;
    }
    x->used[id / 8] |= (uint8_t)(1u << (id % 8));
    return id;
}

enum status index_add(struct index *x, int64_t account_id, int64_t message_id, uint32_t *ret_id)
{
    struct index_key key = { account_id, message_id };
    uint32_t s = probe(x, &key);
    if (x->slot[s] != EMPTY) {
        *ret_id = x->slot[s];
        return OK;
    }
    enum status st = make_room(x);
    if (st != OK)
        return st;
    s = probe(x, &key); /* growing moved everything */
    uint32_t id = id_take(x);
    x->key[id] = key;
    x->slot[s] = id;
    x->count++;
    *ret_id = id;
    return OK;
}

bool index_find(const struct index *x, int64_t account_id, int64_t message_id, uint32_t *ret_id)
{
    struct index_key key = { account_id, message_id };
    uint32_t id = x->slot[probe(x, &key)];
    if (id == EMPTY)
        return false;
    *ret_id = id;
    return true;
}

bool index_get(const struct index *x, uint32_t id, struct index_key *ret)
{
    if (!is_used(x, id))
        return false;
    *ret = x->key[id];
    return true;
}

/* Empties a slot and moves up what was pushed past it, so that no key is behind a gap. */
static void slot_close(struct index *x, uint32_t gap)
{
    for (uint32_t s = after(x, gap); x->slot[s] != EMPTY; s = after(x, s)) {
        uint32_t h = home(x, &x->key[x->slot[s]]);
        bool reaches = gap <= s ? h <= gap || h > s : h <= gap && h > s; /* its home is not between gap and s */
        if (reaches) {
            x->slot[gap] = x->slot[s];
            gap = s;
        }
    }
    x->slot[gap] = EMPTY;
}

bool index_remove(struct index *x, uint32_t id)
{
    if (!is_used(x, id))
        return false;
    slot_close(x, probe(x, &x->key[id]));
    x->used[id / 8] &= (uint8_t) ~(1u << (id % 8));
    x->key[id] = (struct index_key){ 0, x->free_first };
    x->free_first = id;
    x->count--;
    return true;
}

/* ---- all of them ---- */

size_t index_visit_account(struct index *x, int64_t account_id,
                           void (*visit)(void *context, uint32_t id, int64_t message_id), void *context)
{
    size_t visited = 0;
    for (uint32_t id = 0; id < x->end; id++) {
        if (!is_used(x, id) || x->key[id].account_id != account_id)
            continue;
        visit(context, id, x->key[id].message_id);
        visited++;
    }
    return visited;
}

uint32_t index_ids_end(const struct index *x)
{
    return x->end;
}

size_t index_count(const struct index *x)
{
    return x->count;
}

size_t index_bytes(const struct index *x)
{
    return sizeof *x + (size_t)x->entries_max * sizeof *x->key + (size_t)x->entries_max / 8 + 1 +
           (size_t)x->slots_max * sizeof *x->slot;
}
