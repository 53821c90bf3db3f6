#include "wheel_bits_priv.h"

static unsigned lowest(uint64_t v)
{
    return (unsigned)__builtin_ctzll(v);
}

/* The first word that is not 0, at or after word k; -1: none. */
static int word_find(const struct bits *b, unsigned k)
{
    for (unsigned s = k / 64; s < BITS_WORDS / 64; s++) {
        uint64_t v = b->summary[s];
        if (s == k / 64)
            v &= ~0ull << (k % 64);
        if (v != 0)
            return (int)(s * 64 + lowest(v));
    }
    return -1;
}

int bits_find(const struct bits *b, unsigned from)
{
    unsigned k = from / 64;
    uint64_t v = b->word[k] & ~0ull << (from % 64);
    if (v != 0)
        return (int)(k * 64 + lowest(v));
    int found = k + 1 < BITS_WORDS ? word_find(b, k + 1) : -1;
    if (found < 0)
        found = word_find(b, 0); /* round the ring; may come back to the lower part of word k */
    return found < 0 ? -1 : found * 64 + (int)lowest(b->word[found]);
}
