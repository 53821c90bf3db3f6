#include "followupd/store/shard.h"

static uint32_t rotate(uint32_t v, int bits)
{
    return v << bits | v >> (32 - bits);
}

/* hash_uint32 of src/common/hashfn.c: the last round of Jenkins' lookup3. */
static uint32_t hash_u32(uint32_t key)
{
    uint32_t a = 0x9e3779b9 + (uint32_t)sizeof(uint32_t) + 3923095, b = a, c = a;
    a += key;
    c ^= b, c -= rotate(b, 14);
    a ^= c, a -= rotate(c, 11);
    b ^= a, b -= rotate(a, 25);
    c ^= b, c -= rotate(b, 16);
    a ^= c, a -= rotate(c, 4);
    b ^= a, b -= rotate(a, 14);
    c ^= b, c -= rotate(b, 24);
    return c;
}

int shard_of(int64_t account_id)
{
    uint32_t low = (uint32_t)account_id, high = (uint32_t)((uint64_t)account_id >> 32);
    low ^= account_id >= 0 ? high : ~high;
    return (int)(((int64_t)(int32_t)hash_u32(low) + INT64_C(2147483648)) >> 26);
}
