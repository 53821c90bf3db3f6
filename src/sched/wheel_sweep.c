/* Stale copies go when their slot is reached. While they are more than the pending ids, whoever makes one also pays for
 * looking at a few others, here; wheel_idle does it earlier. */
#include "wheel_priv.h"

int64_t wheel_tidy_head(struct wheel *w, struct place p, bool refile)
{
    uint32_t count, kept = 0;
    uint32_t *ids = slots_head(&w->slots, p.slot, &count);
    int64_t earliest = INT64_MAX;
    for (uint32_t i = 0; i < count; i++)
        entry_prefetch(w, ids[i]);
    for (uint32_t i = 0; i < count; i++) {
        struct entry e = entry_get(w, ids[i]);
        if (!is_valid(e, p.slot))
            continue;
        if (refile && !is_within(p, e.due)) {
            wheel_file(w, ids[i], e.due);
            continue;
        }
        if (e.due < earliest)
            earliest = e.due;
        ids[kept++] = ids[i];
    }
    if (w->sweep.slot == p.slot)
        w->sweep.after = 0; /* its chunk may go away */
    slots_keep(&w->slots, p.slot, kept);
    return earliest;
}

/* Turns to the next slot above level 0 that holds something, tidies its head, and leaves the rest to sweep_chunk. */
static void sweep_choose(struct wheel *w)
{
    unsigned next = w->sweep.slot + 1;
    if (next < level[1].first || next >= SLOT_OVERDUE)
        next = level[1].first;
    for (unsigned l = slot_level(next); l < LEVELS; l++) {
        int found = bits_find(&w->slots.bits[l], next > level[l].first ? next - level[l].first : 0);
        if (found >= 0 && level[l].first + (unsigned)found >= next) {
            w->sweep.slot = level[l].first + (unsigned)found;
            wheel_tidy_head(w, (struct place){ .slot = w->sweep.slot }, false);
            w->sweep.after = w->slots.slot[w->sweep.slot].fill > 1 ? w->slots.slot[w->sweep.slot].head : 0;
            return;
        }
    }
    w->sweep.slot = SLOT_OVERDUE; /* begin again */
}

/* Looks at one chunk of copies and keeps the valid ones. The chain stays whole: a chunk is cut out behind the cursor
 * and what is kept goes to the front. */
void wheel_sweep(struct wheel *w)
{
    uint32_t ids[CHUNK_IDS];
    uint32_t count = w->sweep.after == 0 ? 0 : slots_cut_after(&w->slots, w->sweep.after, ids);
    if (count == 0) {
        sweep_choose(w);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        entry_prefetch(w, ids[i]);
    for (uint32_t i = 0; i < count; i++) {
        if (is_valid(entry_get(w, ids[i]), w->sweep.slot))
            slots_push(&w->slots, w->sweep.slot, ids[i]);
    }
}
