/* The audit of the wheel's invariants, for tests. */
#include <stdlib.h>

#include "wheel_priv.h"

/* Notes an id whose copy here is met in time. A stale copy may share the tag, so one that is late proves nothing. */
static void note_copy(const struct wheel *w, unsigned slot, uint32_t id, uint8_t *seen)
{
    struct entry e = id < w->ids ? entry_get(w, id) : (struct entry){ .due = -1 };
    if (!is_valid(e, slot))
        return;
    unsigned l = slot_level(slot), mask = level[l].slots - 1;
    int64_t here = w->t >> level[l].shift;
    int64_t begins = (here + ((slot - level[l].first - (unsigned)here) & mask)) << level[l].shift;
    if (slot == SLOT_OVERDUE || begins <= w->t || begins <= e.due)
        seen[id] = 1;
}

static void note_slot(const struct wheel *w, unsigned s, uint8_t *seen)
{
    const struct slot *sl = &w->slots.slot[s];
    if (sl->fill == 1)
        note_copy(w, s, sl->head, seen);
    uint32_t count = sl->fill - 1;
    for (uint32_t c = sl->fill > 1 ? sl->head : 0; c != 0; c = w->slots.chunk[c].next, count = CHUNK_IDS) {
        for (uint32_t i = 0; i < count; i++)
            note_copy(w, s, w->slots.chunk[c].id[i], seen);
    }
}

/* Time has not passed the beginning of a slot that holds something. */
static bool check_time(const struct wheel *w)
{
    for (unsigned l = 1; l < LEVELS; l++) {
        bool begins = (w->t & ((1ll << level[l].shift) - 1)) == 0;
        if (!begins && w->slots.slot[slot_in(l, w->t)].fill > 0)
            return false;
    }
    for (unsigned l = 0; l < LEVELS; l++) {
        if (wheel_level_find(w, l) < w->begins[l])
            return false;
    }
    return (w->slots.slot[SLOT_OVERDUE].fill > 0) == (w->begins[LEVELS] != INT64_MAX);
}

/* Every pending id has a copy that is met in time. */
static bool check_entries(const struct wheel *w, const uint8_t *seen)
{
    uint64_t live = 0;
    for (uint64_t id = 0; id < w->ids; id++) {
        struct entry e = entry_get(w, (uint32_t)id);
        if (e.due < 0)
            continue;
        live++;
        if (!seen[id] || (w->next_known && w->next > e.due))
            return false;
    }
    return live == w->live;
}

bool wheel_check(const struct wheel *w)
{
    uint8_t *seen = calloc(w->ids > 0 ? w->ids : 1, 1);
    if (seen == NULL)
        return false;
    for (unsigned s = 0; s < SLOTS; s++)
        note_slot(w, s, seen);
    bool good = slots_check(&w->slots) && check_time(w) && check_entries(w, seen);
    free(seen);
    return good;
}
