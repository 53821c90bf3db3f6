/* The wheel against an oracle: an array of due times. Random tests print the seed that repeats them; SEED=n adds one.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "followupd/sched/wheel.h"

#define SECOND 1000ll
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)
#define BASE   1750032000000ll

struct chance {
    uint64_t state, seed;
};

static uint64_t below(struct chance *c, uint64_t n)
{
    c->state += 0x9E3779B97F4A7C15ull;
    uint64_t z = c->state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return (uint64_t)(((__uint128_t)(z ^ z >> 31) * n) >> 64);
}

struct model {
    struct chance chance;
    struct wheel *wheel;
    uint32_t n;
    int64_t *due;      /* by id; -1: not pending */
    int64_t now, done; /* done: everything due up to here has been fired */
    uint64_t fired, live;
};

static void model_init(struct model *m, uint64_t seed, uint32_t n, uint32_t hint)
{
    *m = (struct model){ .chance = { seed, seed }, .n = n, .now = BASE - 1, .done = BASE - 1 };
    m->wheel = wheel_new(BASE, hint);
    cr_assert_not_null(m->wheel);
    m->due = malloc(n * sizeof *m->due);
    for (uint32_t i = 0; i < n; i++)
        m->due[i] = -1;
}

static void model_fini(struct model *m)
{
    struct wheel_stats stats;
    wheel_stats(m->wheel, &stats);
    cr_assert_eq(stats.live, m->live, "seed %lu", m->chance.seed);
    wheel_free(m->wheel);
    free(m->due);
}

static void model_set(struct model *m, uint32_t id, int64_t due)
{
    m->live += m->due[id] < 0;
    m->due[id] = due;
    cr_assert_eq(wheel_set(m->wheel, id, due), OK);
    cr_assert_eq(wheel_due(m->wheel, id), due < BASE ? BASE : due);
}

static void model_cancel(struct model *m, uint32_t id)
{
    bool pending = m->due[id] >= 0;
    m->live -= pending;
    m->due[id] = -1;
    cr_assert_eq(wheel_cancel(m->wheel, id), pending, "seed %lu", m->chance.seed);
    cr_assert_eq(wheel_due(m->wheel, id), -1);
}

static int64_t model_earliest(const struct model *m)
{
    int64_t best = INT64_MAX;
    for (uint32_t i = 0; i < m->n; i++) {
        if (m->due[i] >= 0 && m->due[i] < best)
            best = m->due[i];
    }
    return best;
}

static void model_fires(struct model *m, uint32_t id)
{
    cr_assert_lt(id, m->n);
    int64_t due = m->due[id];
    cr_assert_geq(due, 0, "seed %lu: id %u fired though cancelled, or twice", m->chance.seed, id);
    cr_assert_leq(due, m->now, "seed %lu: id %u fired early", m->chance.seed, id);
    m->due[id] = -1;
    m->fired++;
    m->live--;
}

/* One advance; checks what it fired. */
static size_t model_advance(struct model *m, int64_t now, size_t budget, size_t ids_max)
{
    uint32_t ids[512];
    cr_assert_leq(ids_max, 512);
    m->now = now > m->now ? now : m->now;
    size_t fired = wheel_advance(m->wheel, now, budget, ids, ids_max);
    cr_assert_leq(fired, budget);
    cr_assert_leq(fired, ids_max);
    for (size_t i = 0; i < fired; i++)
        model_fires(m, ids[i]);
    return fired;
}

/* Advances until the wheel asks for a later time; then nothing that is due may be left. */
static void model_drain(struct model *m, int64_t now, size_t budget, size_t ids_max)
{
    uint64_t calls = 0;
    do {
        model_advance(m, now, budget, ids_max);
        cr_assert_lt(++calls, 5000000, "seed %lu: asks to be called at once and has nothing to do", m->chance.seed);
    } while (wheel_next_ms(m->wheel) <= m->now);
    m->done = m->now;
}

static void model_nothing_late(struct model *m)
{
    int64_t earliest = model_earliest(m);
    cr_assert_gt(earliest, m->done, "seed %lu: due %ld has not fired at %ld", m->chance.seed, earliest - BASE,
                 m->done - BASE);
    cr_assert_leq(wheel_next_ms(m->wheel), earliest, "seed %lu: would wake after the earliest", m->chance.seed);
}

static int64_t some_due(struct model *m)
{
    struct chance *c = &m->chance;
    switch (below(c, 6)) {
    case 0:
        return m->now + 1 + (int64_t)below(c, 1ull << below(c, 34));
    case 1:
        return m->now + 48 * HOUR;
    case 2:
        return m->now + 1 + (int64_t)below(c, 600);
    case 3: { /* around the edges of slots */
        int64_t shift = (int64_t[]){ 8, 20, 32 }[below(c, 3)];
        int64_t edge = (((m->now - BASE) >> shift) + 1 + (int64_t)below(c, 3)) << shift;
        return BASE + edge - 2 + (int64_t)below(c, 4);
    }
    case 4:
        return m->now - (int64_t)below(c, 100000); /* past: at the next advance */
    default:
        return ((m->now - BASE) / DAY + 1 + (int64_t)below(c, 30)) * DAY + 9 * HOUR + BASE; /* crowded instants */
    }
}

static void model_step(struct model *m)
{
    struct chance *c = &m->chance;
    uint32_t id = (uint32_t)below(c, m->n);
    uint64_t r = below(c, 1000);
    if (r < 650) {
        model_set(m, id, some_due(m));
    } else if (r < 850) {
        model_cancel(m, id);
    } else if (r < 950) {
        int64_t next = wheel_next_ms(m->wheel);
        if (next != INT64_MAX)
            model_drain(m, next > m->now ? next : m->now, 64 + below(c, 400), 1 + below(c, 511));
    } else if (r < 960) {
        model_drain(m, m->now + 1 + (int64_t)below(c, 1ull << below(c, 32)), 1 + below(c, 300),
                    256); /* up to 50 days */
    } else if (r < 970) {
        model_advance(m, m->now - (int64_t)below(c, HOUR), 100, 100); /* the clock was set back */
    } else {
        wheel_idle(m->wheel, below(c, 600));
    }
}

/* The wheel is audited after every check_every steps, and brought up to date and compared after every compare_every. */
struct plan {
    uint32_t n, hint;
    unsigned steps, check_every, compare_every;
};

static void play(uint64_t seed, const struct plan *p)
{
    struct model m;
    model_init(&m, seed, p->n, p->hint);
    for (unsigned k = 0; k < p->steps; k++) {
        model_step(&m);
        cr_assert(k % p->check_every != 0 || wheel_check(m.wheel), "seed %lu step %u", seed, k);
        if (k % p->compare_every == 0) {
            model_drain(&m, m.now, 256, 256);
            model_nothing_late(&m);
            cr_assert(wheel_check(m.wheel), "seed %lu step %u", seed, k);
        }
    }
    while (m.live > 0) {
        int64_t next = wheel_next_ms(m.wheel);
        cr_assert_neq(next, INT64_MAX, "seed %lu: %lu never fired", seed, m.live);
        model_drain(&m, next > m.now ? next : m.now, 256, 256);
    }
    model_nothing_late(&m);
    cr_assert(wheel_check(m.wheel));
    model_fini(&m);
}

static void play_seeds(const struct plan *p)
{
    const char *more = getenv("SEED");
    for (uint64_t seed = 1; seed <= 3; seed++)
        play(seed, p);
    if (more != NULL)
        play(strtoull(more, NULL, 0), p);
}

Test(wheel, every_single_step_leaves_it_sound)
{
    play_seeds(&(struct plan){ .n = 40, .hint = 0, .steps = 6000, .check_every = 1, .compare_every = 50 });
    play_seeds(&(struct plan){ .n = 3000, .hint = 0, .steps = 2000, .check_every = 1, .compare_every = 500 });
}

Test(wheel, each_of_few_ids_fires_once_never_early_late_or_after_cancel)
{
    play_seeds(&(struct plan){ .n = 50, .hint = 50, .steps = 60000, .check_every = 100, .compare_every = 100 });
}

Test(wheel, each_of_thousands_fires_once_never_early_late_or_after_cancel)
{
    play_seeds(&(struct plan){ .n = 5000, .hint = 16, .steps = 60000, .check_every = 1000, .compare_every = 1000 });
}

Test(wheel, each_of_very_many_fires_once_never_early_late_or_after_cancel)
{
    play(4, &(struct plan){ .n = 100000, .hint = 0, .steps = 300000, .check_every = 30000, .compare_every = 30000 });
}

Test(wheel, empty_wheel_has_no_next)
{
    struct wheel *w = wheel_new(BASE, 0);
    uint32_t ids[4];
    cr_assert_eq(wheel_next_ms(w), INT64_MAX);
    cr_assert_eq(wheel_advance(w, BASE + DAY, 10, ids, 4), 0);
    cr_assert_not(wheel_cancel(w, 7));
    cr_assert_not(wheel_cancel(w, UINT32_MAX));
    cr_assert_eq(wheel_due(w, 7), -1);
    cr_assert(wheel_check(w));
    wheel_free(w);
    wheel_free(NULL);
}

Test(wheel, cancelled_id_never_fires)
{
    struct wheel *w = wheel_new(BASE, 8);
    uint32_t ids[4];
    cr_assert_eq(wheel_set(w, 3, BASE + 48 * HOUR), OK);
    cr_assert(wheel_cancel(w, 3));
    cr_assert_not(wheel_cancel(w, 3));
    cr_assert_eq(wheel_next_ms(w), INT64_MAX);
    cr_assert_eq(wheel_advance(w, BASE + 60 * DAY, 1000, ids, 4), 0);
    wheel_free(w);
}

Test(wheel, one_id_used_again_and_again_fires_each_time)
{
    struct wheel *w = wheel_new(BASE, 1);
    uint32_t id;
    int64_t now = BASE;
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(wheel_set(w, 0, now + 3 * DAY), OK);
        cr_assert_eq(wheel_set(w, 0, now + 1000), OK);
        cr_assert_eq(wheel_advance(w, now + 999, 100, &id, 1), 0);
        cr_assert_eq(wheel_advance(w, now + 1000, 100, &id, 1), 1);
        cr_assert_eq(wheel_advance(w, now + 1001, 100, &id, 1), 0);
        now += 1001;
    }
    struct wheel_stats stats;
    wheel_stats(w, &stats);
    cr_assert_eq(stats.live, 0);
    cr_assert_eq(wheel_next_ms(w), INT64_MAX, "stale copies wake nobody");
    wheel_free(w);
}

Test(wheel, forty_eight_hours_are_exact)
{
    struct wheel *w = wheel_new(BASE, 1);
    uint32_t id = 99;
    cr_assert_eq(wheel_set(w, 0, BASE + 48 * HOUR), OK);
    cr_assert_eq(wheel_next_ms(w), BASE + 48 * HOUR);
    for (int64_t h = 1; h < 48; h++)
        cr_assert_eq(wheel_advance(w, BASE + h * HOUR, 100, &id, 1), 0);
    cr_assert_eq(wheel_advance(w, BASE + 48 * HOUR - 1, 100, &id, 1), 0);
    cr_assert_eq(wheel_advance(w, BASE + 48 * HOUR, 100, &id, 1), 1);
    cr_assert_eq(id, 0);
    wheel_free(w);
}

Test(wheel, past_due_fires_on_the_next_advance)
{
    struct wheel *w = wheel_new(BASE, 4);
    uint32_t ids[4];
    cr_assert_eq(wheel_advance(w, BASE + DAY, 10, ids, 4), 0);
    cr_assert_eq(wheel_set(w, 0, BASE + HOUR), OK);
    cr_assert_eq(wheel_set(w, 1, BASE - DAY), OK);
    cr_assert_eq(wheel_set(w, 2, INT64_MIN), OK);
    cr_assert_leq(wheel_next_ms(w), BASE + DAY);
    cr_assert_eq(wheel_due(w, 2), BASE, "before the base is kept as the base");
    cr_assert_eq(wheel_advance(w, BASE + DAY, 10, ids, 2), 2, "at once, though this millisecond was processed before");
    cr_assert_leq(wheel_next_ms(w), BASE + DAY);
    cr_assert_eq(wheel_advance(w, BASE + DAY, 10, ids, 4), 1);
    cr_assert_eq(wheel_next_ms(w), INT64_MAX);
    wheel_free(w);
}

Test(wheel, a_due_time_beyond_34_years_is_refused_and_changes_nothing)
{
    struct wheel *w = wheel_new(BASE, 4);
    cr_assert_eq(wheel_set(w, 0, BASE + HOUR), OK);
    cr_assert_eq(wheel_set(w, 0, BASE + (1ll << 40)), E_LIMIT);
    cr_assert_eq(wheel_set(w, 1, INT64_MAX), E_LIMIT);
    cr_assert_eq(wheel_due(w, 0), BASE + HOUR);
    cr_assert_eq(wheel_due(w, 1), -1);
    cr_assert_eq(wheel_set(w, 1, BASE + (1ll << 40) - 3), OK);
    uint32_t ids[4];
    cr_assert_eq(wheel_advance(w, INT64_MAX, 100, ids, 4), 2);
    cr_assert_eq(wheel_advance(w, INT64_MAX, 100, ids, 4), 0);
    wheel_free(w);
}

Test(wheel, out_of_memory_is_a_status_and_changes_nothing)
{
    struct wheel *w = wheel_new(BASE, 4);
    cr_assert_eq(wheel_set(w, 0, BASE + HOUR), OK);
    struct rlimit before, none = { 0 };
    cr_assert_eq(getrlimit(RLIMIT_AS, &before), 0);
    none.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_AS, &none); /* no more address space */
    enum status grown = wheel_set(w, UINT32_MAX, BASE + HOUR);
    setrlimit(RLIMIT_AS, &before);
    cr_assert_eq(grown, E_NOMEM);
    cr_assert(wheel_check(w));
    cr_assert_eq(wheel_next_ms(w), BASE + HOUR);
    wheel_free(w);
}

/* 20,000 at one instant two days on, and others around it. */
static void crowd(struct model *m)
{
    for (uint32_t i = 0; i < m->n; i++)
        model_set(m, i, BASE + 2 * DAY + (i % 4 == 0 ? (int64_t)below(&m->chance, 20 * 60 * SECOND) : 0));
}

/* Thousands of slots that had two ids and have one: each keeps its chunk, and there is room for them all. */
Test(wheel, slots_that_shrank_to_one_id_have_room)
{
    struct wheel *w = wheel_new(BASE, 0);
    for (uint32_t i = 0; i < 8000; i++) {
        int64_t due = BASE + (8100 - i) * 256;
        cr_assert_eq(wheel_set(w, 2 * i, due), OK);
        cr_assert_eq(wheel_set(w, 2 * i + 1, due), OK);
        cr_assert(wheel_cancel(w, 2 * i + 1));
        cr_assert_eq(wheel_next_ms(w), due);
        cr_assert(i % 500 != 0 || wheel_check(w), "%u", i);
    }
    struct wheel_stats stats;
    wheel_stats(w, &stats);
    cr_assert_eq(stats.live, 8000);
    cr_assert(wheel_check(w));
    wheel_free(w);
}

Test(wheel, moves_and_fires_share_the_budget)
{
    struct model m;
    model_init(&m, 5, 20000, 20000);
    crowd(&m);
    m.now = m.done = BASE + 2 * DAY + HOUR;
    uint64_t calls = 0, met = 0;
    while (m.live > 0) {
        size_t fired = model_advance(&m, m.now, 100, 512);
        cr_assert_leq(fired, 100);
        met += fired;
        if (m.live > 0)
            cr_assert_leq(wheel_next_ms(m.wheel), m.now, "the rest waits for the next call");
        calls++;
    }
    /* Two moves and a fire for each id at most, two fewer never: one fire is at least 200 calls. */
    cr_assert_geq(calls, 20000 / 100);
    cr_assert_leq(calls, 3 * 20000 / 100 + 10, "%lu calls", calls);
    cr_assert_eq(met, 20000);
    cr_assert(wheel_check(m.wheel));
    model_fini(&m);
}

Test(wheel, a_budget_of_one_gets_there_and_a_budget_of_none_does_nothing)
{
    struct model m;
    model_init(&m, 6, 300, 300);
    crowd(&m);
    cr_assert_eq(model_advance(&m, BASE + 3 * DAY, 0, 10), 0);
    cr_assert_eq(model_advance(&m, BASE + 3 * DAY, 10000, 0), 0);
    cr_assert_eq(m.live, 300);
    model_drain(&m, BASE + 3 * DAY, 1, 1);
    cr_assert_eq(m.live, 0);
    model_fini(&m);
}

Test(wheel, what_was_moved_at_leisure_needs_only_fires_when_due)
{
    struct model m;
    model_init(&m, 7, 20000, 20000);
    crowd(&m);
    int64_t due = BASE + 2 * DAY;
    model_drain(&m, due - 17 * 60 * SECOND, 100000, 512);
    cr_assert_eq(m.live, 20000);
    unsigned calls = 0;
    while (wheel_idle(m.wheel, 512))
        calls++;
    cr_assert_geq(calls, 20, "20,000 ids are more than twenty times 512");
    cr_assert(wheel_check(m.wheel));
    /* One move from level 1 is left for each id, and its fire. */
    size_t fired = 0, round = 0;
    m.now = due;
    while (wheel_next_ms(m.wheel) <= due && ++round < 1000)
        fired += model_advance(&m, due, 512, 512);
    cr_assert_geq(fired, 15000);
    cr_assert_leq(round, 2 * 20000 / 512 + 4, "%zu rounds", round);
    m.done = due;
    model_nothing_late(&m);
    model_fini(&m);
}

Test(wheel, sparse_ids_wake_at_most_twice_each_even_after_many_changes)
{
    struct model m;
    model_init(&m, 8, 1000, 1000);
    for (uint32_t i = 0; i < 200000; i++)
        model_set(&m, i % 1000, BASE + 1 + (int64_t)below(&m.chance, 90 * DAY));
    uint64_t wakes = 0;
    while (m.live > 0) {
        int64_t next = wheel_next_ms(m.wheel);
        model_advance(&m, next > m.now ? next : m.now, 512, 512);
        wakes++;
    }
    cr_assert_leq(wakes, 2000, "%lu wake-ups for 1000 ids", wakes);
    model_fini(&m);
}

Test(wheel, next_is_exact_while_ids_are_sparse)
{
    struct model m;
    model_init(&m, 9, 200, 200);
    for (uint32_t i = 0; i < 200; i++)
        model_set(&m, i, BASE + 1 + (int64_t)below(&m.chance, 40 * DAY));
    while (m.live > 0) {
        cr_assert_eq(wheel_next_ms(m.wheel), model_earliest(&m));
        model_drain(&m, wheel_next_ms(m.wheel), 512, 512);
        model_cancel(&m, (uint32_t)below(&m.chance, 200));
    }
    model_fini(&m);
}

Test(wheel, stale_copies_stay_about_as_many_as_live_ids)
{
    struct model m;
    struct wheel_stats stats;
    model_init(&m, 10, 50000, 50000);
    for (uint32_t i = 0; i < 50000; i++)
        model_set(&m, i, BASE + 60 * DAY);
    for (uint32_t i = 0; i < 1000000; i++) /* each earlier than before: a copy is left behind */
        model_set(&m, i % 50000, BASE + 60 * DAY - (int64_t)(i / 50000 + 1) * DAY - (int64_t)below(&m.chance, HOUR));
    wheel_stats(m.wheel, &stats);
    cr_assert_leq(stats.stale, 3 * stats.live, "%lu stale", stats.stale);
    while (wheel_idle(m.wheel, 1000))
        ;
    wheel_stats(m.wheel, &stats);
    cr_assert_leq(stats.stale, stats.live / 2 + 1);
    cr_assert(wheel_check(m.wheel));
    model_drain(&m, BASE + 61 * DAY, 512, 512);
    cr_assert_eq(m.live, 0);
    model_fini(&m);
}

Test(wheel, a_million_ids_take_less_than_eleven_bytes_each)
{
    struct wheel *w = wheel_new(BASE, 1000000);
    struct chance c = { 11, 11 };
    for (uint32_t i = 0; i < 1000000; i++)
        cr_assert_eq(wheel_set(w, i, BASE + 1 + (int64_t)below(&c, 30 * DAY)), OK);
    struct wheel_stats stats;
    wheel_stats(w, &stats);
    cr_assert_eq(stats.live, 1000000);
    cr_assert_leq(stats.bytes, 11000000 + 2097152, "%zu bytes", stats.bytes); /* a huge page of slack */
    wheel_free(w);
}
