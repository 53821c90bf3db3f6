#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "followupd/sched/index.h"

static uint64_t state;
static uint64_t below(uint64_t n)
{
    state += 0x9E3779B97F4A7C15ull;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return (uint64_t)(((__uint128_t)(z ^ z >> 31) * n) >> 64);
}

/* The oracle: id by (account, message), UINT32_MAX when it is not there. */
#define ACCOUNTS 7
#define MESSAGES 700

static uint32_t expected[ACCOUNTS][MESSAGES];

static void agree(struct index *x, uint64_t seed, uint32_t highest)
{
    size_t count = 0;
    for (int64_t a = 0; a < ACCOUNTS; a++) {
        for (int64_t m = 0; m < MESSAGES; m++) {
            uint32_t id = UINT32_MAX;
            bool there = index_find(x, a - 3, m, &id);
            cr_assert_eq(id, expected[a][m], "seed %lu: account %ld message %ld", seed, a - 3, m);
            cr_assert_eq(there, id != UINT32_MAX);
            struct index_key key;
            cr_assert_eq(index_get(x, id, &key), there);
            if (there)
                cr_assert(key.account_id == a - 3 && key.message_id == m);
            count += there;
        }
    }
    cr_assert_eq(index_count(x), count);
    cr_assert_leq(index_ids_end(x), highest, "ids are given out again");
}

static void play(uint64_t seed)
{
    struct index *x = index_new(0);
    size_t most = 0;
    state = seed;
    memset(expected, 0xff, sizeof expected);
    for (unsigned k = 0; k < 60000; k++) {
        int64_t a = (int64_t)below(ACCOUNTS), m = (int64_t)below(MESSAGES);
        uint32_t id, had = expected[a][m];
        if (below(100) < (k / 10000 % 2 == 0 ? 70u : 30u)) { /* grows, then shrinks */
            cr_assert_eq(index_add(x, a - 3, m, &id), OK);
            if (had != UINT32_MAX)
                cr_assert_eq(id, had, "seed %lu: the id stays", seed);
            expected[a][m] = id;
        } else {
            cr_assert_eq(index_remove(x, had), had != UINT32_MAX);
            expected[a][m] = UINT32_MAX;
        }
        most = index_count(x) > most ? index_count(x) : most;
        if (k % 5000 == 0)
            agree(x, seed, (uint32_t)most);
        cr_assert(k % 100 != 0 || index_check(x), "seed %lu step %u", seed, k);
    }
    agree(x, seed, (uint32_t)most);
    index_free(x);
}

Test(index, agrees_with_an_oracle_through_random_adds_and_removes)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        play(seed);
}

Test(index, extreme_keys_are_keys_like_others)
{
    const int64_t keys[] = { INT64_MIN, -1, 0, 1, INT64_MAX };
    struct index *x = index_new(3);
    uint32_t id, n = 0;
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 5; k++) {
            cr_assert_eq(index_add(x, keys[i], keys[k], &id), OK);
            cr_assert_eq(id, n++);
        }
    }
    cr_assert_not(index_find(x, 2, 2, &id));
    struct index_key key;
    cr_assert_not(index_get(x, 25, &key));
    cr_assert_not(index_remove(x, UINT32_MAX));
    index_free(x);
    index_free(NULL);
}

struct removal {
    struct index *x;
    int64_t sum;
};

static void remove_visited(void *context, uint32_t id, int64_t message_id)
{
    struct removal *r = context;
    r->sum += message_id;
    cr_assert(index_remove(r->x, id));
}

Test(index, visiting_an_account_sees_each_of_its_entries_once_and_may_remove_them)
{
    struct index *x = index_new(16);
    uint32_t id;
    for (int64_t m = 1; m <= 1000; m++)
        cr_assert_eq(index_add(x, m % 10, m, &id), OK);
    struct removal r = { x, 0 };
    uint32_t from = 0, slices = 1;
    while (index_visit_account(x, 3, &from, 70, remove_visited, &r))
        slices++;
    cr_assert_eq(slices, (1000 + 69) / 70);
    cr_assert_eq(r.sum, 3 * 100 + 10 * (99 * 100 / 2));
    cr_assert_eq(index_count(x), 900);
    cr_assert(index_check(x));
    cr_assert_not(index_visit_account(x, 3, &from, 70, remove_visited, &r), "nothing comes after the last");
    from = 0;
    cr_assert_not(index_visit_account(x, 3, &from, UINT32_MAX, remove_visited, &r));
    cr_assert_eq(index_count(x), 900);
    for (int64_t m = 1; m <= 1000; m++)
        cr_assert_eq(index_find(x, m % 10, m, &id), m % 10 != 3);
    index_free(x);
}

Test(index, a_million_entries_take_at_most_24_bytes_each_however_they_came)
{
    for (int hinted = 0; hinted < 2; hinted++) {
        struct index *x = index_new(hinted ? 1000000 : 0);
        uint32_t id;
        for (int64_t m = 0; m < 1000000; m++)
            cr_assert_eq(index_add(x, m % 200, m * 3, &id), OK);
        cr_assert_leq(index_bytes(x), 24000000, "%zu bytes", index_bytes(x));
        cr_assert(index_check(x));
        index_free(x);
    }
}

Test(index, out_of_memory_is_a_status_and_changes_nothing)
{
    struct index *x = index_new(0);
    struct rlimit before, none = { 0 };
    uint32_t id, last = 0;
    enum status st;
    cr_assert_eq(getrlimit(RLIMIT_AS, &before), 0);
    none.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_AS, &none); /* no more address space */
    while ((st = index_add(x, 1, last, &id)) == OK && last < 1000000)
        last++;
    setrlimit(RLIMIT_AS, &before);
    cr_assert_eq(st, E_NOMEM);
    cr_assert_eq(index_count(x), last);
    cr_assert_not(index_find(x, 1, last, &id));
    cr_assert(index_check(x));
    cr_assert_eq(index_add(x, 1, last, &id), OK, "and goes on when there is memory again");
    cr_assert(index_check(x));
    index_free(x);
}

Test(index, expecting_a_message_changes_nothing_whether_it_is_there_or_not)
{
    for (int64_t held = 0; held <= 40; held++) {
        struct index *x = index_new(0);
        uint32_t id;
        for (int64_t m = 1; m <= held; m++)
            cr_assert_eq(index_add(x, 1, m, &id), OK);
        for (int64_t m = -100; m <= 100; m++) {
            index_expect(x, 1, m);
            index_expect_soon(x, 1, m);
        }
        cr_assert_eq(index_count(x), (size_t)held);
        for (int64_t m = -100; m <= 100; m++)
            cr_assert_eq(index_find(x, 1, m, &id), m >= 1 && m <= held);
        cr_assert(index_check(x));
        index_free(x);
    }
}
