#include "wheel_slots_priv.h"

#include "wheel_pages_priv.h"

/* Chunks that `copies` ids can need: every slot may have one that is not full, down to a single id. While a chunk is
 * being emptied its ids count twice. Two more: that chunk, and the unused number 0. */
static uint64_t chunks_for(uint64_t copies)
{
    copies += CHUNK_IDS;
    uint64_t begun = copies < SLOTS ? copies : SLOTS;
    return copies / CHUNK_IDS + begun + 2;
}

static enum status grow(struct slots *s, uint64_t copies)
{
    size_t bytes = pages_round(chunks_for(copies) * sizeof(struct chunk));
    struct chunk *chunk = pages_grow(s->chunk, s->bytes, bytes);
    if (chunk == NULL)
        return E_NOMEM;
    s->chunk = chunk;
    s->bytes = bytes;
    s->copies_max = copies;
    return OK;
}

enum status slots_init(struct slots *s, uint64_t copies_hint)
{
    s->used = 1;
    return grow(s, copies_hint < 64 ? 64 : copies_hint);
}

void slots_fini(struct slots *s)
{
    pages_free(s->chunk, s->bytes);
}

enum status slots_grow(struct slots *s)
{
    return grow(s, s->copies_max + s->copies_max / 2);
}

static uint32_t chunk_new(struct slots *s)
{
    uint32_t c = s->spare;
    if (c == 0)
        return s->used++; /* mapped: slots_reserve saw to it */
    s->spare = s->chunk[c].next;
    chunk_prefetch(s, s->spare); /* whoever needs one soon needs another */
    return c;
}

static void chunk_free(struct slots *s, uint32_t c)
{
    s->chunk[c].next = s->spare;
    s->spare = c;
}

bool slots_push_slow(struct slots *s, unsigned slot, uint32_t id)
{
    struct slot *sl = &s->slot[slot];
    s->copies++;
    if (sl->fill == 0) {
        unsigned l = slot_level(slot);
        bits_mark(&s->bits[l], slot - level[l].first);
        *sl = (struct slot){ .head = id, .fill = 1 };
        return false;
    }
    uint32_t c = chunk_new(s);
    struct chunk *k = &s->chunk[c];
    if (sl->fill == 1) {
        k->next = 0;
        k->id[0] = sl->head;
        k->id[1] = id;
        *sl = (struct slot){ .head = c, .fill = 3 };
        return false;
    }
    k->next = sl->head;
    k->id[0] = id;
    *sl = (struct slot){ .head = c, .fill = 2 };
    return true;
}

static void slot_emptied(struct slots *s, unsigned slot)
{
    unsigned l = slot_level(slot);
    s->slot[slot] = (struct slot){ 0 };
    bits_clear(&s->bits[l], slot - level[l].first);
}

void slots_keep(struct slots *s, unsigned slot, uint32_t count)
{
    struct slot *sl = &s->slot[slot];
    bool single = sl->fill <= 1;
    s->copies -= (single ? sl->fill : sl->fill - 1) - count;
    if (count > 0) {
        sl->fill = single ? 1 : count + 1;
        return;
    }
    uint32_t next = 0;
    if (!single) {
        next = s->chunk[sl->head].next;
        chunk_free(s, sl->head);
    }
    if (next == 0)
        slot_emptied(s, slot);
    else
        *sl = (struct slot){ .head = next, .fill = CHUNK_IDS + 1 };
}

uint32_t slots_cut_after(struct slots *s, uint32_t chunk, uint32_t ret_ids[CHUNK_IDS])
{
    uint32_t c = s->chunk[chunk].next;
    if (c == 0)
        return 0;
    s->chunk[chunk].next = s->chunk[c].next;
    for (uint32_t i = 0; i < CHUNK_IDS; i++)
        ret_ids[i] = s->chunk[c].id[i];
    s->copies -= CHUNK_IDS;
    chunk_free(s, c);
    return CHUNK_IDS;
}

bool slots_check(const struct slots *s)
{
    uint64_t copies = 0, chunks = 1; /* number 0 */
    for (unsigned i = 0; i < SLOTS; i++) {
        const struct slot *sl = &s->slot[i];
        unsigned l = slot_level(i);
        if (bits_has(&s->bits[l], i - level[l].first) != (sl->fill > 0) || sl->fill > CHUNK_IDS + 1)
            return false;
        copies += sl->fill <= 1 ? sl->fill : sl->fill - 1;
        if (sl->fill <= 1)
            continue;
        chunks++;
        for (uint32_t c = s->chunk[sl->head].next; c != 0; c = s->chunk[c].next) {
            copies += CHUNK_IDS;
            if (++chunks > s->used)
                return false; /* a chain in a circle, or a chunk in two places */
        }
    }
    for (uint32_t c = s->spare; c != 0; c = s->chunk[c].next) {
        if (++chunks > s->used)
            return false;
    }
    return copies == s->copies && chunks == s->used && copies <= s->copies_max &&
           (size_t)s->used * sizeof(struct chunk) <= s->bytes;
}
