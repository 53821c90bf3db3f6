/* wheel_bits: which slots of a level hold something. One bit a slot, and a second layer of one bit a word, so that
 * finding the next set bit of 8192 reads at most five words. */
#ifndef FOLLOWUPD_SCHED_WHEEL_BITS_PRIV_H
#define FOLLOWUPD_SCHED_WHEEL_BITS_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#define BITS_WORDS 128 /* the widest level: 8192 slots */

struct bits {
    uint64_t word[BITS_WORDS];
    uint64_t summary[BITS_WORDS / 64]; /* bit k: word k is not 0 */
};

static inline void bits_mark(struct bits *b, unsigned i)
{
    b->word[i / 64] |= 1ull << (i % 64);
    b->summary[i / 4096] |= 1ull << (i / 64 % 64);
}

static inline void bits_clear(struct bits *b, unsigned i)
{
    b->word[i / 64] &= ~(1ull << (i % 64));
    if (b->word[i / 64] == 0)
        b->summary[i / 4096] &= ~(1ull << (i / 64 % 64));
}

static inline bool bits_has(const struct bits *b, unsigned i)
{
    return b->word[i / 64] >> (i % 64) & 1;
}

/* The first set bit at or after `from`, going round at the end of the ring; -1: none is set. */
int bits_find(const struct bits *b, unsigned from);

#endif
