#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "../../support/fake_store.h"
#include "followupd/owner/owner.h"
#include "followupd/owner/worker_lock.h"

#define ME        "11111111-2222-4333-8444-555555555555"
#define DEAD      "99999999-2222-4333-8444-555555555555"
#define TTL_MS    100000 /* no test waits that long; the period is a third */
#define MARGIN_MS 20000

static uv_loop_t loop;
static struct fake_store store;
static struct owner *owner;
static int changes, lost_count, released, closed;
static int lost[STORE_SHARDS];
static enum status released_st;

static void on_change(void *arg)
{
    (void)arg;
    changes++;
}
static void on_lost(void *arg, const int *shards, size_t count)
{
    (void)arg;
    for (size_t i = 0; i < count; i++)
        lost[lost_count++] = shards[i];
}
static bool busy_shards[STORE_SHARDS];
static bool in_flight(void *arg, int shard)
{
    (void)arg;
    return busy_shards[shard];
}
static void on_released(void *arg, enum status st)
{
    (void)arg;
    released++;
    released_st = st;
}
static void on_closed(void *arg)
{
    (void)arg;
    closed++;
}

static enum status open_in(const char *dir, int64_t ttl_ms, struct err *e)
{
    struct owner_config config = { dir, ME, ttl_ms, ttl_ms / 5 };
    struct owner_events events = { NULL, on_change, on_lost, in_flight };
    return owner_open(&loop, &store.base, &config, &events, &owner, e);
}
static void grant(int shard, int64_t epoch)
{
    store.grant[store.grant_count++] = (struct shard_lease){ .shard = shard, .epoch = epoch };
}
static void init(void)
{
    uv_loop_init(&loop);
    fake_init(&store);
    store.up = true;
}
static void start(void)
{
    struct err e;
    init();
    grant(3, 7);
    grant(5, 1);
    cr_assert_eq(open_in(NULL, TTL_MS, &e), OK);
    owner_up(owner);
    fake_answer(&store);
}
static void finish(void)
{
    fake_break(&store);
    owner_close(owner, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(closed, 1);
    cr_assert_eq(uv_loop_close(&loop), 0);
}
/* The period comes by itself in a third of the ttl; tests bring it by the way that an up does. */
static void period(void)
{
    owner_up(owner);
}

Test(owner, nothing_may_be_sent_before_a_lease_is_had)
{
    struct err e;
    init();
    cr_assert_eq(open_in(NULL, TTL_MS, &e), OK);
    cr_assert_not(owner_may_send(owner, 3, 0, mono_now()));
    cr_assert_not(owner_may_send(owner, -1, 0, mono_now()));
    cr_assert_not(owner_may_send(owner, STORE_SHARDS, 0, mono_now()));
    cr_assert_eq(owner_held(owner).count, 0);
    finish();
}

Test(owner, a_lease_is_good_from_before_the_question_until_ttl_less_margin)
{
    struct err e;
    init();
    grant(3, 7);
    cr_assert_eq(open_in(NULL, TTL_MS, &e), OK);
    struct mono before = mono_now();
    owner_up(owner);
    struct mono after = mono_now();
    usleep(20000); /* the answer comes later; the deadline counts from the question */
    fake_answer(&store);
    cr_assert_eq(changes, 1);
    cr_assert(owner_may_send(owner, 3, 7, mono_add(before, TTL_MS - MARGIN_MS - 1)));
    cr_assert_not(owner_may_send(owner, 3, 7, mono_add(after, TTL_MS - MARGIN_MS)));
    cr_assert_not(owner_may_send(owner, 3, 6, before), "another epoch");
    cr_assert_not(owner_may_send(owner, 4, 7, before), "another shard");
    finish();
}

Test(owner, a_renewal_moves_the_deadline_and_changes_nothing)
{
    start();
    struct mono first = mono_now();
    usleep(5000);
    period();
    fake_answer(&store);
    cr_assert_eq(store.renews, 1);
    cr_assert_eq(changes, 1);
    cr_assert(owner_may_send(owner, 3, 7, mono_add(first, TTL_MS - MARGIN_MS)));
    finish();
}

Test(owner, a_shard_missing_from_the_renewal_is_lost)
{
    start();
    store.grant_count = 1; /* shard 5 is another's now */
    period();
    store.acquire_cb = NULL;
    fake_answer(&store);
    cr_assert_eq(lost_count, 1);
    cr_assert_eq(lost[0], 5);
    cr_assert_eq(changes, 2);
    cr_assert_eq(owner_held(owner).count, 1);
    cr_assert_not(owner_may_send(owner, 5, 1, mono_now()));
    finish();
}

Test(owner, a_passed_deadline_forbids_sending_but_loses_nothing)
{
    start();
    struct mono late = mono_add(mono_now(), TTL_MS);
    fake_break(&store);
    owner_down(owner);
    cr_assert_eq(owner_valid(owner, late).count, 0);
    cr_assert_eq(owner_held(owner).count, 2);
    store.up = true;
    owner_up(owner);
    cr_assert_eq(store.renews, 1);
    fake_answer(&store);
    cr_assert_eq(owner_valid(owner, mono_now()).count, 2);
    cr_assert_eq(lost_count, 0);
    finish();
}

Test(owner, a_renewal_that_failed_leaves_the_deadline)
{
    start();
    struct mono first = mono_now();
    period();
    fake_break(&store);
    cr_assert_eq(lost_count, 0);
    cr_assert_not(owner_may_send(owner, 3, 7, mono_add(first, TTL_MS - MARGIN_MS)));
    cr_assert(owner_may_send(owner, 3, 7, first));
    finish();
}

Test(owner, an_acquired_shard_is_not_lost_by_a_renewal_asked_before)
{
    start();
    period(); /* asks to renew 3 and 5, and to acquire */
    store_lease_cb renew_cb = store.renew_cb;
    store.renew_cb = NULL;
    grant(9, 2);
    fake_answer(&store); /* acquire: 9 is gained */
    struct shard_lease two[] = { { .shard = 3, .epoch = 7 }, { .shard = 5, .epoch = 1 } };
    renew_cb(store.renew_arg, OK, NULL, two, 2);
    cr_assert_eq(lost_count, 0);
    cr_assert_eq(owner_held(owner).count, 3);
    finish();
}

Test(owner, a_drain_takes_nothing_new_tells_others_and_still_renews)
{
    start();
    int acquires = store.acquires;
    owner_drain(owner);
    fake_answer(&store);
    cr_assert_eq(store.acquires, acquires);
    cr_assert(store.draining);
    cr_assert_eq(store.renews, 1);
    owner_release(owner, on_released, NULL);
    cr_assert_eq(released, 0, "not inside the call");
    cr_assert_not(owner_may_send(owner, 3, 7, mono_now()));
    fake_answer(&store);
    cr_assert_eq(released, 1);
    cr_assert_eq(released_st, OK);
    finish();
}

/* --- leaving ---------------------------------------------------------------------------------------------------- */

/* Shards 0 and up, of which `elsewhere` are preferred at another worker; a look every 5 ms. */
static void start_many(int count, int elsewhere)
{
    struct err e;
    init();
    for (int i = 0; i < count; i++)
        grant(i, 1);
    cr_assert_eq(open_in(NULL, 100, &e), OK);
    owner_up(owner);
    fake_answer(&store);
    for (int i = 0; i < elsewhere; i++)
        store.grant[i].elsewhere = true;
    period();
    fake_answer(&store);
}
static void look(void)
{
    usleep(6000);
    uv_run(&loop, UV_RUN_ONCE);
}

Test(owner, a_shard_preferred_elsewhere_claims_nothing_new_but_sends_what_it_claimed)
{
    start_many(3, 1);
    busy_shards[0] = true;
    struct lease_set valid = owner_valid(owner, mono_now());
    cr_assert_eq(valid.count, 2);
    cr_assert_eq(valid.leases[0].shard, 1);
    cr_assert_eq(owner_held(owner).count, 3);
    cr_assert(owner_may_send(owner, 0, 1, mono_now()));
    look();
    cr_assert_eq(store.releases, 0, "not while something of it is in flight");
    busy_shards[0] = false;
    look();
    cr_assert_eq(store.releases, 1);
    cr_assert_eq(owner_held(owner).count, 2);
    cr_assert_not(owner_may_send(owner, 0, 1, mono_now()));
    cr_assert_eq(lost_count, 0, "given is not lost");
    finish();
}

Test(owner, few_shards_leave_at_once)
{
    start_many(STORE_SHARDS, STORE_SHARDS / 2);
    cr_assert_eq(owner_valid(owner, mono_now()).count, STORE_SHARDS - OWNER_LEAVING_MAX);
    finish();
}

Test(owner, a_shard_that_is_wanted_no_longer_stays)
{
    start_many(2, 1);
    busy_shards[0] = true;
    cr_assert_eq(owner_valid(owner, mono_now()).count, 1);
    store.grant[0].elsewhere = false;
    period();
    fake_answer(&store);
    cr_assert_eq(owner_valid(owner, mono_now()).count, 2);
    finish();
}

Test(owner, a_look_asks_for_free_leases_and_renews_nothing)
{
    start();
    fake_answer(&store);
    int acquires = store.acquires, renews = store.renews;
    owner_look(owner);
    cr_assert_eq(store.acquires, acquires + 1);
    cr_assert_eq(store.renews, renews);
    finish();
}

Test(owner, a_release_without_a_database_ends_too)
{
    start();
    fake_break(&store);
    owner_down(owner);
    owner_release(owner, on_released, NULL);
    uv_run(&loop, UV_RUN_ONCE);
    cr_assert_eq(released, 1);
    cr_assert_eq(released_st, E_GONE);
    finish();
}

/* --- the lock file ---------------------------------------------------------------------------------------------- */

static char dir[] = "/tmp/followupd-owner.XXXXXX";

static void write_file(const char *text)
{
    char path[100];
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/worker.lock", dir);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}
static void read_file(char *ret, size_t bytes)
{
    char path[100];
    snprintf(path, sizeof path, "%s/worker.lock", dir);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    ret[fread(ret, 1, bytes - 1, file)] = '\0';
    fclose(file);
}
static void remove_file(void)
{
    char path[100];
    snprintf(path, sizeof path, "%s/worker.lock", dir);
    unlink(path);
    rmdir(dir);
}

Test(owner, the_dead_owner_of_the_file_is_named_when_leases_are_taken)
{
    struct err e;
    char text[500];
    init();
    for (int i = 0; i < STORE_SHARDS - 1; i++)
        grant(i, 7);
    write_file(DEAD "\n");
    cr_assert_eq(open_in(dir, TTL_MS, &e), OK, "%s", e.text);
    read_file(text, sizeof text);
    cr_assert_str_eq(text, ME "\n" DEAD "\n", "both, until the leases are ours");
    owner_up(owner);
    cr_assert_str_eq(store.former, DEAD);
    fake_answer(&store);
    read_file(text, sizeof text);
    cr_assert_str_eq(text, ME "\n" DEAD "\n", "one was locked, or is another worker's");
    owner_look(owner);
    cr_assert_str_eq(store.former, DEAD);
    grant(STORE_SHARDS - 1, 7);
    fake_answer(&store);
    cr_assert_eq(owner_held(owner).count, STORE_SHARDS);
    read_file(text, sizeof text);
    cr_assert_str_eq(text, ME "\n");
    finish();
    remove_file();
}

Test(owner, a_dead_owner_is_forgotten_when_its_leases_have_run_out)
{
    struct err e;
    char text[500];
    init();
    grant(3, 7);
    write_file(DEAD "\n" ME "\n");
    cr_assert_eq(open_in(dir, 1, &e), OK, "%s", e.text);
    usleep(2000);
    owner_up(owner);
    cr_assert_str_eq(store.former, DEAD);
    fake_answer(&store);
    cr_assert_str_eq(store.former, ME, "each is asked for");
    fake_answer(&store);
    read_file(text, sizeof text);
    cr_assert_str_eq(text, ME "\n");
    owner_look(owner);
    cr_assert_str_eq(store.former, "");
    finish();
    remove_file();
}

Test(owner, a_failed_takeover_keeps_the_dead_ones_name)
{
    struct err e;
    char text[500];
    init();
    write_file(DEAD "\nnonsense\n" DEAD);
    cr_assert_eq(open_in(dir, TTL_MS, &e), OK);
    owner_up(owner);
    fake_break(&store);
    read_file(text, sizeof text);
    cr_assert_str_eq(text, ME "\n" DEAD "\n" DEAD "\n");
    store.up = true;
    owner_up(owner);
    cr_assert_str_eq(store.former, DEAD);
    finish();
    remove_file();
}

Test(owner, two_daemons_do_not_share_a_state_directory)
{
    struct err e;
    struct worker_lock other;
    init();
    write_file("");
    cr_assert_eq(worker_lock_open(dir, DEAD, &other, &e), OK);
    cr_assert_eq(open_in(dir, TTL_MS, &e), E_BUSY);
    cr_assert_not_null(strstr(e.text, dir));
    worker_lock_close(&other);
    cr_assert_eq(open_in(dir, TTL_MS, &e), OK);
    finish();
    remove_file();
}

Test(owner, a_missing_state_directory_is_named)
{
    struct err e;
    init();
    cr_assert_eq(open_in("/nonexistent/followupd", TTL_MS, &e), E_IO);
    cr_assert_not_null(strstr(e.text, "/nonexistent/followupd/worker.lock"));
}

Test(owner, worker_ids_are_uuids_and_differ)
{
    char a[WORKER_ID_BYTES], b[WORKER_ID_BYTES];
    struct err e;
    cr_assert_eq(worker_id_new(a, &e), OK);
    cr_assert_eq(worker_id_new(b, &e), OK);
    cr_assert(worker_id_valid(a));
    cr_assert_str_neq(a, b);
    cr_assert_not(worker_id_valid(""));
    cr_assert_not(worker_id_valid("11111111-2222-4333-8444-55555555555"));
    cr_assert_not(worker_id_valid("11111111-2222-4333-8444-5555555555555"));
    cr_assert_not(worker_id_valid("11111111x2222-4333-8444-555555555555"));
}
