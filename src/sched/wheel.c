/* How it works
 *
 * The table holds for each id its due time and the tag of the slot that has its valid copy: the only truth. Slots hold
 * copies of ids and are a hint: when a slot is reached, each id in it is looked up, and fired, moved to the slot that
 * fits now, or dropped. So cancelling is one store, moving to a later time is one store (the copy is moved when it is
 * met), and moving to an earlier time leaves a stale copy behind.
 *
 * A copy whose tag does not match is stale. Two slots may share a tag (1 in 256): that keeps a stale copy a little
 * longer, or moves an id twice. It never fires twice, because firing clears the entry in the table.
 *
 * Rings: level l takes a due time when (due >> shift) - (t >> shift) < slots, so within a level a slot number means one
 * stretch of time. The wheel's time t does not pass the beginning of a slot that still holds something. */
#include "followupd/sched/wheel.h"

#include <stdlib.h>

#include "wheel_pages_priv.h"
#include "wheel_priv.h"

/* ---- creation ---- */

static enum status table_grow(struct wheel *w, uint64_t ids)
{
    size_t bytes = pages_round(ids * ENTRY_BYTES);
    uint8_t *table = pages_grow(w->table, w->table_bytes, bytes);
    if (table == NULL)
        return E_NOMEM;
    w->table = table;
    w->table_bytes = bytes;
    w->ids = bytes / ENTRY_BYTES;
    return OK;
}

struct wheel *wheel_new(int64_t base_ms, uint32_t ids_hint)
{
    struct wheel *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->base_ms = base_ms;
    w->next = INT64_MAX;
    for (unsigned l = 0; l <= LEVELS; l++)
        w->begins[l] = INT64_MAX;
    if (table_grow(w, (uint64_t)ids_hint + 1) != OK || slots_init(&w->slots, ids_hint) != OK) {
        wheel_free(w);
        return NULL;
    }
    return w;
}

void wheel_free(struct wheel *w)
{
    if (w == NULL)
        return;
    pages_free(w->table, w->table_bytes);
    slots_fini(&w->slots);
    free(w);
}

/* ---- set and cancel ---- */

static void copy_went_stale(struct wheel *w)
{
    uint64_t stale = stale_count(w);
    if (stale > SWEEP_STALE_MIN && stale > w->live && ++w->sweep.tick % SWEEP_EVERY == 0)
        wheel_sweep(w);
}

static enum status to_due(const struct wheel *w, int64_t due_ms, int64_t *ret)
{
    int64_t due;
    if (__builtin_sub_overflow(due_ms, w->base_ms, &due))
        due = due_ms < w->base_ms ? 0 : INT64_MAX;
    if (due > DUE_MAX)
        return E_LIMIT;
    *ret = due < 0 ? 0 : due;
    return OK;
}

enum status wheel_set(struct wheel *w, uint32_t id, int64_t due_ms)
{
    int64_t due;
    enum status st = to_due(w, due_ms, &due);
    if (st != OK)
        return st;
    if (id >= w->ids) {
        uint64_t more = w->ids + w->ids / 2;
        st = table_grow(w, more > id ? more : (uint64_t)id + 1);
        if (st != OK)
            return st;
    }
    struct entry e = entry_get(w, id);
    if (e.due >= 0 && due >= e.due) { /* later: its copy is moved when it is met */
        entry_put(w, id, due, e.tag);
        if (e.due <= w->next)
            w->next_known = false;
        return OK;
    }
    st = slots_reserve(&w->slots);
    if (st != OK)
        return st;
    w->live += e.due < 0;
    wheel_file(w, id, due);
    if (e.due >= 0)
        copy_went_stale(w);
    return OK;
}

bool wheel_cancel(struct wheel *w, uint32_t id)
{
    if (id >= w->ids)
        return false;
    struct entry e = entry_get(w, id);
    if (e.due < 0)
        return false;
    entry_put(w, id, -1, 0);
    w->live--;
    if (e.due <= w->next)
        w->next_known = false;
    copy_went_stale(w);
    return true;
}

int64_t wheel_due(const struct wheel *w, uint32_t id)
{
    struct entry e = id < w->ids ? entry_get(w, id) : (struct entry){ .due = -1 };
    return e.due < 0 ? -1 : w->base_ms + e.due;
}

/* ---- what comes next ---- */

int64_t wheel_level_find(const struct wheel *w, unsigned l)
{
    unsigned mask = level[l].slots - 1, here = (unsigned)(w->t >> level[l].shift) & mask;
    int found = bits_find(&w->slots.bits[l], here);
    if (found < 0)
        return INT64_MAX;
    return ((w->t >> level[l].shift) + (((unsigned)found - here) & mask)) << level[l].shift;
}

/* Slots of level 1 are met one after the other: the entries of the next one's ids are fetched while the one before it is at
 * work, and a chunk of the one after that. */
static PREFETCHER void prefetch_slots(struct wheel *w, int64_t begins)
{
    unsigned mask = level[1].slots - 1, first = level[1].first;
    int next = bits_find(&w->slots.bits[1], (slot_in(1, begins) - first + 1) & mask);
    if (next < 0)
        return;
    uint32_t count, *ids = slots_head(&w->slots, first + (unsigned)next, &count);
    for (uint32_t i = count; i-- > 0;)
        entry_prefetch(w, ids[i]);
    slots_prefetch(&w->slots, first + (((unsigned)next + 1) & mask));
}

/* The same, from what is known while the slot found last still holds something. */
static int64_t level_begins(struct wheel *w, unsigned l)
{
    int64_t begins = w->begins[l];
    if (begins == INT64_MAX || (begins >= w->t && w->slots.slot[slot_in(l, begins)].fill > 0))
        return begins;
    begins = w->begins[l] = wheel_level_find(w, l);
    if (l == 1 && begins != INT64_MAX)
        prefetch_slots(w, begins);
    return begins;
}

/* When the first slot begins, of any level. */
static int64_t first_begins(struct wheel *w)
{
    int64_t best = INT64_MAX;
    for (unsigned l = 0; l < LEVELS; l++) {
        if (w->begins[l] < best) {
            int64_t begins = level_begins(w, l);
            best = begins < best ? begins : best;
        }
    }
    return best;
}

/* When the one id of a slot is due, if it is as it should be; INT64_MAX: look closer. */
static inline int64_t single_due(const struct wheel *w, struct place p)
{
    const struct slot *sl = &w->slots.slot[p.slot];
    if (sl->fill != 1)
        return INT64_MAX;
    struct entry e = entry_get(w, sl->head);
    return is_valid(e, p.slot) && is_within(p, e.due) ? e.due : INT64_MAX;
}

/* The earliest due time of a level, as far as it is before `best`: exact when its first slot is small, else when that
 * slot begins. Tidies small slots, so that stale and postponed copies wake nobody; `tidied` counts them. */
static int64_t level_next(struct wheel *w, unsigned l, int64_t best, unsigned *tidied)
{
    while (w->begins[l] < best) {
        int64_t begins = level_begins(w, l);
        if (begins >= best)
            return best;
        struct place p = place_in(l, begins);
        if (slots_second(&w->slots, p.slot) != 0 || *tidied == TIDY_SLOTS_MAX)
            return begins;
        int64_t earliest = single_due(w, p);
        if (earliest == INT64_MAX) {
            ++*tidied;
            earliest = wheel_tidy_head(w, p, true);
        }
        if (earliest != INT64_MAX)
            return earliest < best ? earliest : best;
    }
    return best;
}

static int64_t next_find(struct wheel *w)
{
    int64_t best = INT64_MAX;
    unsigned tidied = 0;
    if (w->live == 0)
        return INT64_MAX; /* whatever stale copies there are */
    if (w->slots.slot[SLOT_OVERDUE].fill > 0)
        return w->t - 1;
    w->next = INT64_MAX; /* tidying files ids, possibly in a level already looked at; that lowers w->next */
    for (unsigned l = 0; l < LEVELS; l++)
        best = level_next(w, l, best, &tidied);
    return best < w->next ? best : w->next;
}

static int64_t next_ms(const struct wheel *w)
{
    return w->next == INT64_MAX ? INT64_MAX : w->base_ms + w->next;
}

/* Not inline, so that asking again takes a few instructions only. */
static __attribute__((noinline)) int64_t next_learn(struct wheel *w)
{
    w->next = next_find(w);
    w->next_known = true;
    return next_ms(w);
}

int64_t wheel_next_ms(struct wheel *w)
{
    return w->next_known ? next_ms(w) : next_learn(w);
}

/* ---- advance ---- */

#define MOVE_ALL (-1) /* no due time is before the base */

/* What one call may still do, and where the fired ids go. */
struct round {
    int64_t until; /* what is due by then fires; the rest moves to where it fits */
    size_t budget;
    uint32_t *ids; /* borrowed */
    size_t room, fired;
};

/* Reads ahead: the table's entries of this chunk's successor and the chunk after that. */
static PREFETCHER void prefetch_after(const struct wheel *w, unsigned slot)
{
    uint32_t c = slots_second(&w->slots, slot);
    if (c == 0)
        return;
    const struct chunk *k = &w->slots.chunk[c];
    for (unsigned i = CHUNK_IDS; i-- > 0;) /* in the order in which they are met */
        entry_prefetch(w, k->id[i]);
    chunk_prefetch(&w->slots, k->next);
}

/* One id met in a slot. False: it is due but ret_ids is full; it stays. */
static inline bool meet(struct wheel *w, unsigned slot, uint32_t id, struct round *r)
{
    struct entry e = entry_get(w, id);
    if (!is_valid(e, slot))
        return true;
    if (e.due > r->until) {
        wheel_file(w, id, e.due);
        return true;
    }
    if (r->fired == r->room)
        return false;
    entry_put(w, id, -1, 0);
    w->live--;
    r->ids[r->fired++] = id;
    return true;
}

static bool empty_single(struct wheel *w, unsigned slot, struct round *r)
{
    if (r->budget == 0 || !meet(w, slot, w->slots.slot[slot].head, r))
        return false;
    r->budget--;
    slots_drop_single(&w->slots, slot);
    return true;
}

/* Ids leave from the end, so the slot is whole whenever we stop. */
static bool empty_chain(struct wheel *w, unsigned slot, struct round *r)
{
    uint32_t count, *ids = slots_head(&w->slots, slot, &count);
    if (w->sweep.slot == slot)
        w->sweep.after = 0;
    for (uint32_t i = count; i-- > 0;)
        entry_prefetch(w, ids[i]);
    while (ids != NULL) {
        bool full = false;
        prefetch_after(w, slot);
        while (count > 0 && r->budget > 0 && !full) {
            full = !meet(w, slot, ids[count - 1], r);
            count -= !full;
            r->budget--;
        }
        slots_keep(&w->slots, slot, count);
        if (count > 0)
            return false;
        ids = slots_head(&w->slots, slot, &count);
    }
    return true;
}

/* Empties a slot: what is due into ret_ids, the rest into other slots. None of them is filed back here: what is due
 * later when a slot begins fits a finer level, or belongs to another slot. False: stopped, something is left. */
static bool empty_slot(struct wheel *w, unsigned slot, struct round *r)
{
    uint32_t fill = w->slots.slot[slot].fill;
    return fill == 0 || (fill == 1 ? empty_single(w, slot, r) : empty_chain(w, slot, r));
}

/* What was due already when it was set. False: something of it is left. */
static bool empty_overdue(struct wheel *w, struct round *r)
{
    if (w->begins[LEVELS] == INT64_MAX)
        return true;
    if (!empty_slot(w, SLOT_OVERDUE, r))
        return false;
    w->begins[LEVELS] = INT64_MAX;
    return true;
}

/* Takes the wheel to where its next slot begins, not past `now`. False: there is none, or the round is over. */
static bool advance_step(struct wheel *w, int64_t now, struct round *r)
{
    int64_t begins = first_begins(w);
    if (begins > now) {
        w->t = now + 1;
        return false;
    }
    w->t = begins;
    for (unsigned l = LEVELS; l-- > 0;) { /* the coarsest first: it fills the finer ones */
        if (w->begins[l] == begins && !empty_slot(w, slot_in(l, begins), r))
            return false;
    }
    w->t = begins + 1;
    return true;
}

/* No slot that holds something begins before this. */
static int64_t earliest_begins(const struct wheel *w)
{
    int64_t best = w->begins[0];
    for (unsigned l = 1; l <= LEVELS; l++)
        best = w->begins[l] < best ? w->begins[l] : best;
    return best;
}

size_t wheel_advance(struct wheel *w, int64_t now_ms, size_t budget, uint32_t *ret_ids, size_t ids_max)
{
    struct round r = { .budget = budget, .ids = ret_ids, .room = ids_max };
    int64_t now;
    if (now_ms < w->base_ms)
        return 0;
    if (to_due(w, now_ms, &now) != OK)
        now = DUE_MAX + 1;          /* past every due time */
    if (earliest_begins(w) > now) { /* the common case of a wake-up for nothing */
        w->t = now + 1 > w->t ? now + 1 : w->t;
        return 0;
    }
    r.until = now >= w->t ? now : w->t - 1; /* a clock set back: what is overdue fires all the same */
    bool more = empty_overdue(w, &r);
    while (more && w->t <= now)
        more = advance_step(w, now, &r);
    w->next_known = false;
    return r.fired;
}

/* ---- at leisure ---- */

bool wheel_idle(struct wheel *w, size_t ids)
{
    struct round r = { .until = MOVE_ALL, .budget = ids };
    int64_t following = ((w->t >> level[2].shift) + 1) << level[2].shift;
    if (!empty_slot(w, slot_in(2, following), &r))
        return true;
    while (stale_count(w) > SWEEP_STALE_MIN && stale_count(w) > w->live / 2) {
        if (r.budget < CHUNK_IDS)
            return true;
        wheel_sweep(w);
        r.budget -= CHUNK_IDS;
    }
    return false;
}

void wheel_stats(const struct wheel *w, struct wheel_stats *ret)
{
    *ret = (struct wheel_stats){
        .live = w->live,
        .stale = stale_count(w),
        .bytes = sizeof *w + w->table_bytes + (size_t)w->slots.used * sizeof(struct chunk),
    };
}
