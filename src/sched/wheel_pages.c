#include "wheel_pages_priv.h"

#include <stdint.h>
#include <sys/mman.h>

#define PAGE_BYTES ((size_t)4096)

size_t pages_round(size_t bytes)
{
    size_t page = bytes < HUGE_PAGE_BYTES ? PAGE_BYTES : HUGE_PAGE_BYTES;
    return (bytes + page - 1) / page * page;
}

/* Address space, without memory, that begins at a boundary of a huge page. */
static char *reserve(size_t bytes)
{
    char *p = mmap(NULL, bytes + HUGE_PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)p % HUGE_PAGE_BYTES;
    if (before > 0)
        munmap(p, before);
    munmap(p + before + bytes, HUGE_PAGE_BYTES - before);
    return p + before;
}

void *pages_grow(void *old, size_t old_bytes, size_t bytes)
{
    char *at = reserve(bytes);
    if (at == NULL)
        return NULL;
    void *data = old == NULL ? mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
                             : mremap(old, old_bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, at);
    if (data == MAP_FAILED) {
        munmap(at, bytes);
        return NULL;
    }
    if (bytes >= HUGE_PAGE_BYTES)
        madvise(data, bytes, MADV_HUGEPAGE); /* a wish: random look-ups miss the TLB less; refused is fine */
    return data;
}

void pages_free(void *data, size_t bytes)
{
    if (data != NULL)
        munmap(data, bytes);
}
