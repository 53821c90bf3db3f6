/* Entries by id, and a hash table of chains of them. The table grows by linear hashing: for every fifth entry four
 * buckets are added, each by splitting the one that shares its hash but for the highest bit. So nothing is ever
 * rehashed as a whole, and both arrays grow in place. A link is an id + 1, so that zeroed memory is an empty bucket. */
#include "followupd/sched/index.h"

#include <stdlib.h>

#include "wheel_pages_priv.h"

#define ENTRIES_MAX  (UINT32_C(1) << 31)
#define SPLITS_AHEAD 4
#define FREE         (UINT32_C(1) << 31) /* in a link: the entry is free, and what follows is free too */

struct entry {
    struct index_key key;
    uint32_t next;                     /* link: the next of its bucket, or FREE and the next free one */
} __attribute__((packed, aligned(4))); /* 20 bytes, not 24 */

struct index {
    struct entry *entry; /* owned, mapped; by id */
    uint32_t *bucket;    /* owned, mapped; links */
    size_t entry_bytes, bucket_bytes;
    uint32_t buckets; /* in use; more are mapped */
    uint32_t end;     /* entries ever used */
    uint32_t count;
    uint32_t free_first; /* link */
};

/* Fixed, not seeded: the keys come from our own sequences, not from strangers. */
static uint64_t hash(const struct index_key *k)
{
    uint64_t h = (uint64_t)k->message_id * 0x9E3779B97F4A7C15ull ^ (uint64_t)k->account_id * 0xC2B2AE3D27D4EB4Full;
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9ull;
    h = (h ^ h >> 27) * 0x94D049BB133111EBull;
    return h ^ h >> 31;
}

/* The bucket of a number that has its highest bit cut off: the one that is split to make that bucket. */
static uint32_t parent(uint32_t b)
{
    return b & ~(UINT32_C(0x80000000) >> __builtin_clz(b));
}

static uint32_t bucket_of(const struct index *x, const struct index_key *k)
{
    uint32_t last = x->buckets - 1, mask = last == 0 ? 0 : UINT32_MAX >> __builtin_clz(last);
    uint32_t b = (uint32_t)hash(k) & mask;
    return b <= last ? b : parent(b);
}

static bool is_used(const struct index *x, uint32_t id)
{
    return id < x->end && (x->entry[id].next & FREE) == 0;
}

static uint32_t find(const struct index *x, uint32_t bucket, const struct index_key *k) /* link; 0: not there */
{
    uint32_t link = x->bucket[bucket];
    while (link != 0) {
        const struct entry *e = &x->entry[link - 1];
        if (e->key.message_id == k->message_id && e->key.account_id == k->account_id)
            break;
        link = e->next;
    }
    return link;
}

/* ---- memory ---- */

static uint64_t buckets_for(uint64_t entries)
{
    return entries * 4 / 5 + 1;
}

/* Room for so many entries and their buckets. E_NOMEM: nothing has changed that anyone could see. */
static enum status map(struct index *x, uint64_t entries)
{
    size_t entry_bytes = pages_round(entries * sizeof *x->entry);
    struct entry *entry = pages_grow(x->entry, x->entry_bytes, entry_bytes);
    if (entry == NULL)
        return E_NOMEM;
    x->entry = entry;
    x->entry_bytes = entry_bytes;
    entries = entry_bytes / sizeof *entry; /* all that the pages hold */
    size_t bucket_bytes = pages_round(buckets_for(entries) * sizeof *x->bucket);
    uint32_t *bucket = pages_grow(x->bucket, x->bucket_bytes, bucket_bytes);
    if (bucket == NULL)
        return E_NOMEM;
    x->bucket = bucket;
    x->bucket_bytes = bucket_bytes;
    return OK;
}

struct index *index_new(uint32_t entries_hint)
{
    struct index *x = calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    uint64_t entries = entries_hint < ENTRIES_MAX ? entries_hint : ENTRIES_MAX;
    x->buckets = (uint32_t)buckets_for(entries); /* empty, so none need be split */
    if (map(x, entries + 1) != OK) {
        index_free(x);
        return NULL;
    }
    return x;
}

void index_free(struct index *x)
{
    if (x == NULL)
        return;
    pages_free(x->entry, x->entry_bytes);
    pages_free(x->bucket, x->bucket_bytes);
    free(x);
}

/* ---- add, find, remove ---- */

static enum status make_room(struct index *x)
{
    uint64_t mapped = x->entry_bytes / sizeof *x->entry, wanted = (uint64_t)x->end + 1;
    bool fits = wanted <= mapped && buckets_for(wanted) * sizeof *x->bucket <= x->bucket_bytes;
    if (x->free_first != 0 || fits)
        return OK;
    return x->end == ENTRIES_MAX - 1 ? E_LIMIT : map(x, wanted + wanted / 2);
}

static uint32_t id_take(struct index *x)
{
    if (x->free_first == 0)
        return x->end++;
    uint32_t id = x->free_first - 1;
    x->free_first = x->entry[id].next & ~FREE;
    return id;
}

static PREFETCHER void prefetch(const struct index *x, uint32_t link)
{
    if (link != 0)
        __builtin_prefetch(&x->entry[link - 1], 1);
}

/* The chains that will be split next are fetched into the cache: the first entry of one, the second of a nearer one.
 * A bucket that is not in use yet is empty. */
static PREFETCHER void prefetch_splits(const struct index *x)
{
    uint32_t near = x->bucket[parent(x->buckets + SPLITS_AHEAD)];
    prefetch(x, x->bucket[parent(x->buckets + 2 * SPLITS_AHEAD)]);
    if (near != 0)
        prefetch(x, x->entry[near - 1].next);
}

/* One more bucket: those of its parent that hash to it are moved. */
static void split(struct index *x)
{
    prefetch_splits(x);
    uint32_t fresh = x->buckets++, *from = &x->bucket[parent(fresh)];
    while (*from != 0) {
        uint32_t link = *from;
        struct entry *e = &x->entry[link - 1];
        struct index_key key = e->key;
        if (bucket_of(x, &key) == fresh) {
            *from = e->next;
            e->next = x->bucket[fresh];
            x->bucket[fresh] = link;
        } else {
            from = &e->next;
        }
    }
}

enum status index_add(struct index *x, int64_t account_id, int64_t message_id, uint32_t *ret_id)
{
    struct index_key key = { account_id, message_id };
    uint32_t bucket = bucket_of(x, &key), link = find(x, bucket, &key);
    if (link != 0) {
        *ret_id = link - 1;
        return OK;
    }
    enum status st = make_room(x);
    if (st != OK)
        return st;
    uint32_t id = id_take(x);
    x->entry[id] = (struct entry){ key, x->bucket[bucket] };
    x->bucket[bucket] = id + 1;
    x->count++;
    if (x->buckets < buckets_for(x->count))
        split(x);
    *ret_id = id;
    return OK;
}

void index_expect(const struct index *x, int64_t account_id, int64_t message_id)
{
    struct index_key key = { account_id, message_id };
    __builtin_prefetch(&x->bucket[bucket_of(x, &key)], 1);
}

void index_expect_soon(const struct index *x, int64_t account_id, int64_t message_id)
{
    struct index_key key = { account_id, message_id };
    prefetch(x, x->bucket[bucket_of(x, &key)]);
}

bool index_find(const struct index *x, int64_t account_id, int64_t message_id, uint32_t *ret_id)
{
    struct index_key key = { account_id, message_id };
    uint32_t link = find(x, bucket_of(x, &key), &key);
    if (link == 0)
        return false;
    *ret_id = link - 1;
    return true;
}

bool index_get(const struct index *x, uint32_t id, struct index_key *ret)
{
    if (!is_used(x, id))
        return false;
    *ret = x->entry[id].key;
    return true;
}

bool index_remove(struct index *x, uint32_t id)
{
    if (!is_used(x, id))
        return false;
    struct entry *e = &x->entry[id];
    struct index_key key = e->key;
    uint32_t *from = &x->bucket[bucket_of(x, &key)];
    while (*from != id + 1)
        from = &x->entry[*from - 1].next;
    *from = e->next;
    e->next = FREE | x->free_first;
    x->free_first = id + 1;
    x->count--;
    return true;
}

/* ---- all of them ---- */

bool index_visit_account(struct index *x, int64_t account_id, uint32_t *from, uint32_t ids_max,
                         void (*visit)(void *context, uint32_t id, int64_t message_id), void *context)
{
    uint32_t left = *from < x->end ? x->end - *from : 0;
    uint32_t until = *from + (left < ids_max ? left : ids_max);
    for (; *from < until; ++*from) {
        const struct entry *e = &x->entry[*from];
        if ((e->next & FREE) == 0 && e->key.account_id == account_id)
            visit(context, *from, e->key.message_id);
    }
    return *from < x->end;
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
    return sizeof *x + (size_t)x->end * sizeof *x->entry + (size_t)x->buckets * sizeof *x->bucket;
}

/* Each chain is of its bucket, and with the free ones they hold every entry once. */
bool index_check(const struct index *x)
{
    uint32_t used = 0, idle = 0;
    for (uint32_t b = 0; b < x->buckets; b++) {
        for (uint32_t link = x->bucket[b]; link != 0; link = x->entry[link - 1].next) {
            if (link > x->end || !is_used(x, link - 1) || ++used > x->count)
                return false;
            struct index_key key = x->entry[link - 1].key;
            if (bucket_of(x, &key) != b)
                return false;
        }
    }
    for (uint32_t link = x->free_first; link != 0; link = x->entry[link - 1].next & ~FREE) {
        if (link > x->end || is_used(x, link - 1) || ++idle > x->end)
            return false;
    }
    return used == x->count && used + idle == x->end && x->buckets >= buckets_for(x->count) &&
           x->buckets * sizeof *x->bucket <= x->bucket_bytes;
}
