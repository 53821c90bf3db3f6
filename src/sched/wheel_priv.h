/* wheel_priv: the wheel's parts that its files share: the table of due times, and which slot fits a due time. */
#ifndef FOLLOWUPD_SCHED_WHEEL_PRIV_H
#define FOLLOWUPD_SCHED_WHEEL_PRIV_H

#include <string.h>

#include "followupd/sched/wheel.h"
#include "wheel_slots_priv.h"

#define ENTRY_BYTES     6 /* 40 bits: due + 1, 0 when not pending; 8 bits: tag */
#define DUE_MAX         ((1ll << 40) - 3)
#define SWEEP_STALE_MIN 4096
#define SWEEP_EVERY     8  /* stale copies made for one chunk swept: four ids looked at for each */
#define TIDY_SLOTS_MAX  16 /* a call of wheel_next_ms; each one removes or moves a copy that will not come back */

struct wheel {
    uint8_t *table; /* owned, mapped; zero: not pending */
    size_t table_bytes;
    uint64_t ids; /* that the table has entries for */
    int64_t base_ms;
    int64_t t;                  /* the first millisecond not yet processed, after the base */
    int64_t begins[LEVELS + 1]; /* no slot of the level that holds something begins before this */
    int64_t next;               /* what wheel_next_ms answered, while next_known */
    bool next_known;
    uint64_t live;
    struct {
        unsigned slot, tick;
        uint32_t after; /* the next chunk to sweep follows this one in `slot`; 0: choose another slot */
    } sweep;
    struct slots slots;
};

struct entry {
    int64_t due; /* after the base; -1: not pending */
    unsigned tag;
};

/* Read in the two pieces in which it was written: a wider load would have to wait until both stores have left for the
 * cache, and an id that is moved is read again at once. */
static inline struct entry entry_get(const struct wheel *w, uint32_t id)
{
    const uint8_t *at = w->table + (size_t)id * ENTRY_BYTES;
    uint32_t low;
    uint16_t high;
    memcpy(&low, at, sizeof low);
    memcpy(&high, at + sizeof low, sizeof high);
    return (struct entry){ .due = (int64_t)((uint64_t)(high & 255) << 32 | low) - 1, .tag = high >> 8 };
}

static inline void entry_put(struct wheel *w, uint32_t id, int64_t due, unsigned tag)
{
    uint8_t *at = w->table + (size_t)id * ENTRY_BYTES;
    uint32_t low = (uint32_t)(due + 1);
    uint16_t high = (uint16_t)((uint64_t)(due + 1) >> 32 | tag << 8);
    memcpy(at, &low, sizeof low);
    memcpy(at + sizeof low, &high, sizeof high);
}

static PREFETCHER void entry_prefetch(const struct wheel *w, uint32_t id)
{
    __builtin_prefetch(w->table + (size_t)id * ENTRY_BYTES);
}

static inline unsigned tag_of(unsigned slot)
{
    return (slot * 37u + (slot >> 8) * 11u) & 255u;
}

static inline unsigned slot_in(unsigned l, int64_t due)
{
    return level[l].first + ((unsigned)(due >> level[l].shift) & (level[l].slots - 1));
}

struct place {
    unsigned slot, level;
    int64_t begins;
};

static inline struct place place_in(unsigned l, int64_t due)
{
    return (struct place){ slot_in(l, due), l, due >> level[l].shift << level[l].shift };
}

/* Where a due time belongs now. */
static inline struct place place_for(const struct wheel *w, int64_t due)
{
    if (due < w->t)
        return (struct place){ SLOT_OVERDUE, LEVELS, due };
#pragma GCC unroll 4
    for (unsigned l = 0; l < LEVELS - 1; l++) {
        if ((due >> level[l].shift) - (w->t >> level[l].shift) < level[l].slots)
            return place_in(l, due);
    }
    return place_in(LEVELS - 1, due);
}

static inline bool is_within(struct place p, int64_t due)
{
    return due >> level[p.level].shift == p.begins >> level[p.level].shift;
}

/* A copy still counts when its id is pending and filed in the slot where the copy is. */
static inline bool is_valid(struct entry e, unsigned slot)
{
    return e.due >= 0 && e.tag == tag_of(slot);
}

static inline uint64_t stale_count(const struct wheel *w)
{
    return w->slots.copies - w->live; /* a pending id has at least one copy */
}

/* Writes the entry and puts a copy where it will be met in time. Inline: it is most of what the wheel does. */
static inline __attribute__((always_inline)) void wheel_file(struct wheel *w, uint32_t id, int64_t due)
{
    struct place p = place_for(w, due);
    entry_put(w, id, due, tag_of(p.slot));
    bool many = slots_push(&w->slots, p.slot, id);
    if (p.begins < w->begins[p.level])
        w->begins[p.level] = p.begins;
    int64_t wake = many ? p.begins : due; /* a full slot takes time to move: begin when it begins */
    if (wake < w->next)
        w->next = wake;
}

/* When the first slot of a level that holds something begins; INT64_MAX: none does. Reads the bits. */
int64_t wheel_level_find(const struct wheel *w, unsigned l);

/* Drops the stale among the newest ids of a slot, at most CHUNK_IDS; `refile` also moves those that were postponed to
 * another slot. Returns the earliest due time of what is left, INT64_MAX when nothing is. */
int64_t wheel_tidy_head(struct wheel *w, struct place p, bool refile);
/* Looks at about a chunk of copies above level 0, in turn, and keeps the valid ones. */
void wheel_sweep(struct wheel *w);

#endif
