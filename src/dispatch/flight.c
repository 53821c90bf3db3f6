#include "flight.h"

#include <assert.h>
#include <stdlib.h>

static size_t bucket_of(const struct flights *f, struct message_ref ref)
{
    uint64_t h = (uint64_t)ref.message_id * UINT64_C(0x9e3779b97f4a7c15) ^
                 (uint64_t)ref.account_id * UINT64_C(0xc2b2ae3d27d4eb4f);
    return (size_t)(h >> 32) & (f->bucket_count - 1);
}

enum status flights_init(struct flights *f, size_t max)
{
    *f = (struct flights){ .max = max, .bucket_count = 16 };
    while (f->bucket_count < max * 2)
        f->bucket_count *= 2;
    f->entries = calloc(max, sizeof *f->entries);
    f->buckets = calloc(f->bucket_count, sizeof(struct flight *));
    if (f->entries == NULL || f->buckets == NULL) {
        flights_fini(f);
        return E_NOMEM;
    }
    for (size_t i = max; i-- > 0;) {
        f->entries[i].next = f->free;
        f->free = &f->entries[i];
    }
    return OK;
}

void flights_fini(struct flights *f)
{
    free(f->entries);
    free(f->buckets);
    *f = (struct flights){ 0 };
}

struct flight *flights_find(const struct flights *f, struct message_ref ref)
{
    for (struct flight *at = f->buckets[bucket_of(f, ref)]; at != NULL; at = at->next) {
        if (at->ref.message_id == ref.message_id && at->ref.account_id == ref.account_id)
            return at;
    }
    return NULL;
}

struct flight *flights_add(struct flights *f, struct message_ref ref)
{
    struct flight *flight = f->free, **bucket = &f->buckets[bucket_of(f, ref)];
    if (flight == NULL)
        return NULL;
    f->free = flight->next;
    *flight = (struct flight){ .ref = ref, .next = *bucket };
    *bucket = flight;
    f->count++;
    return flight;
}

void flights_remove(struct flights *f, struct flight *flight)
{
    struct flight **at = &f->buckets[bucket_of(f, flight->ref)];
    while (*at != flight) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = flight->next;
    flight->claim = NULL;
    flight->next = f->free;
    f->free = flight;
    f->count--;
}
