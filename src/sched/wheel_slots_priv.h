/* wheel_slots: where the wheel keeps bare ids, by slot. Knows levels and chunks, neither due times nor the time.
 *
 * A slot is empty, holds one id in its header, or a chain of 128-byte chunks of which all but the first are full. So a
 * million ids in a few thousand slots cost 4.13 bytes each, and going through a slot reads memory in streams. Ids have
 * no order in a slot and may be in several slots, or twice in one: what counts is decided by the wheel's table.
 *
 * Only slots_reserve takes memory; it takes enough for every id wherever it lies, so that moving ids never fails. */
#ifndef FOLLOWUPD_SCHED_WHEEL_SLOTS_PRIV_H
#define FOLLOWUPD_SCHED_WHEEL_SLOTS_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "followupd/base/status.h"
#include "wheel_bits_priv.h"
#include "wheel_pages_priv.h"

#define LEVELS    4
#define CHUNK_IDS 31

/* Level 1 is twice as wide as a slot of level 2, so that the next slot of level 2 fits into it ahead of time. */
static const struct level {
    unsigned shift, slots, first; /* a slot is 2^shift ms; `first`: its slots begin there in slots.slot */
} level[LEVELS + 1] = {
    { 0, 256, 0 },      /* 1 ms, reaches 256 ms */
    { 8, 8192, 256 },   /* 256 ms, 35 min */
    { 20, 4096, 8448 }, /* 17.5 min, 49.7 days */
    { 32, 256, 12544 }, /* 49.7 days, 34.8 years */
    { 0, 1, 12800 },    /* not a level: what was due already when it was set */
};
#define SLOTS        12801
#define SLOT_OVERDUE 12800

struct chunk {
    uint32_t next; /* 0: the last one */
    uint32_t id[CHUNK_IDS];
};

struct slot {
    uint32_t head; /* fill 1: the id itself; fill > 1: a chunk with fill - 1 ids, the newest */
    uint32_t fill; /* 0: empty */
};

struct slots {
    struct chunk *chunk; /* owned, mapped; number 0 is never used */
    size_t bytes;        /* mapped */
    uint32_t used;       /* chunks ever touched */
    uint32_t spare;      /* chunks to use again, chained by next; 0: none */
    uint64_t copies;     /* ids in all slots */
    uint64_t copies_max; /* as many as the mapped chunks hold in the worst distribution */
    struct bits bits[LEVELS + 1];
    struct slot slot[SLOTS];
};

enum status slots_init(struct slots *s, uint64_t copies_hint);
void slots_fini(struct slots *s);
/* Room for one id more. E_NOMEM: as before. */
MUST_USE enum status slots_grow(struct slots *s);
static inline enum status slots_reserve(struct slots *s)
{
    return s->copies < s->copies_max ? OK : slots_grow(s);
}

static inline unsigned slot_level(unsigned slot)
{
    unsigned l = 0;
#pragma GCC unroll 4
    for (unsigned i = 1; i <= LEVELS; i++)
        l += slot >= level[i].first;
    return l;
}

bool slots_push_slow(struct slots *s, unsigned slot, uint32_t id);
/* True: the slot has just begun another chunk on top of a full one, so it is no longer small. */
static inline bool slots_push(struct slots *s, unsigned slot, uint32_t id)
{
    struct slot *sl = &s->slot[slot];
    if (sl->fill >= 2 && sl->fill <= CHUNK_IDS) {
        s->chunk[sl->head].id[sl->fill++ - 1] = id;
        s->copies++;
        return false;
    }
    return slots_push_slow(s, slot, id);
}

/* The newest ids of a slot, at most CHUNK_IDS, and how many; valid until slots_keep. NULL: the slot is empty. */
static inline uint32_t *slots_head(struct slots *s, unsigned slot, uint32_t *ret_count)
{
    struct slot *sl = &s->slot[slot];
    *ret_count = sl->fill <= 1 ? sl->fill : sl->fill - 1;
    if (sl->fill == 0)
        return NULL;
    return sl->fill == 1 ? &sl->head : s->chunk[sl->head].id;
}
/* Of those that slots_head gave only the first `count` stay. */
void slots_keep(struct slots *s, unsigned slot, uint32_t count);
static PREFETCHER void chunk_prefetch(const struct slots *s, uint32_t chunk)
{
    __builtin_prefetch(&s->chunk[chunk]);
    __builtin_prefetch(&s->chunk[chunk].id[CHUNK_IDS - 1]);
}
static PREFETCHER void slots_prefetch(const struct slots *s, unsigned slot)
{
    if (s->slot[slot].fill > 1)
        chunk_prefetch(s, s->slot[slot].head);
}
/* Empties a slot that holds a single id in its header. */
static inline void slots_drop_single(struct slots *s, unsigned slot)
{
    unsigned l = slot_level(slot);
    s->copies--;
    s->slot[slot] = (struct slot){ 0 };
    bits_clear(&s->bits[l], slot - level[l].first);
}
/* The chunk after the head; 0: the head is all there is. */
static inline uint32_t slots_second(const struct slots *s, unsigned slot)
{
    return s->slot[slot].fill > 1 ? s->chunk[s->slot[slot].head].next : 0;
}
/* Cuts the (full) chunk after `chunk` out of its chain and copies its ids; 0: there is none. */
uint32_t slots_cut_after(struct slots *s, uint32_t chunk, uint32_t ret_ids[CHUNK_IDS]);

bool slots_check(const struct slots *s); /* chains, counts and bits agree; for wheel_check */

#endif
