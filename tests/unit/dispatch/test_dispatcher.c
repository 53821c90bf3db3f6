#include "followupd/dispatch/dispatcher.h"

#include <criterion/criterion.h>

#include "../fakes.h"
#include "../turn.h"

static uv_loop_t loop;
static struct fake_store store = { .store.ops = &fake_store_ops, .up = true };
static struct fake_transport transport = { .transport.ops = &fake_transport_ops };
static struct registry *registry;
static struct business_clock business;
static struct dispatcher *d;
static struct dispatcher_config config = DISPATCHER_CONFIG_DEFAULTS;
static struct provider_config providers[2];
static size_t provider_count = 1;
static bool lease_lost, no_leases;
static size_t asked_may_send, rooms, drains;
static struct due_message sets[2048];
static size_t set_count, put_off_count;
static bool offering;

static struct lease_set hook_leases(void *arg)
{
    static const struct shard_lease lease = { 3, 5 };
    (void)arg;
    return (struct lease_set){ &lease, no_leases ? 0 : 1 };
}
static struct lease_set hook_held(void *arg)
{
    static const struct shard_lease lease = { 3, 5 };
    (void)arg;
    return (struct lease_set){ &lease, 1 };
}
static bool hook_may_send(void *arg, int shard, int64_t epoch)
{
    (void)arg;
    cr_assert_eq(shard, 3);
    cr_assert_eq(epoch, 5);
    asked_may_send++;
    return !lease_lost;
}
static void hook_set(void *arg, struct due_message due)
{
    (void)arg;
    cr_assert_not(offering, "set from inside an offer");
    cr_assert_lt(set_count, COUNT_OF(sets));
    sets[set_count++] = due;
}
static void hook_put_off(void *arg, struct due_message due)
{
    put_off_count++;
    hook_set(arg, due);
}
static void hook_room(void *arg)
{
    (void)arg;
    rooms++;
}
static void on_drained(void *arg)
{
    (void)arg;
    drains++;
}

/* Defaults a test may change before start(). */
static void begin(void)
{
    for (size_t i = 0; i < COUNT_OF(providers); i++)
        providers[i] = (struct provider_config){
            .name = i == 0 ? "a" : "b",
            .type = "generic",
            .url = "http://127.0.0.1:1/send",
            .concurrency_max = 64,
            .timeout_ms = 1000,
            .key_window_ms = 3600000,
        };
    config.default_provider = "a";
    config.batch_wait_ms = 1;
    config.settle_every_ms = 3600000;
    business_clock_set(&business, wall_now(), 1.0, mono_now_us(), mono_now_us());
}

static void start(void)
{
    const struct dispatcher_hooks hooks = { .leases = hook_leases,
                                            .held = hook_held,
                                            .may_send = hook_may_send,
                                            .set = hook_set,
                                            .put_off = hook_put_off,
                                            .on_room = hook_room };
    uv_loop_init(&loop);
    cr_assert_eq(registry_new(providers, provider_count, &registry, NULL), OK);
    cr_assert_eq(
        dispatcher_new(&loop, &store.store, &transport.transport, registry, &business, &config, &hooks, &d, NULL), OK);
}

static void finish(void)
{
    dispatcher_abort(d);
    while (store.records.count > 0) /* as a store does that is closed */
        fake_fail_record(&store, E_CANCELLED);
    dispatcher_close(d);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
    registry_free(registry);
}

static void turn(void)
{
    for (int i = 0; i < 3; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static size_t offer_of(int64_t account_id, int64_t first, int64_t last)
{
    struct due_message due[1024];
    size_t count = 0;
    for (int64_t id = first; id <= last; id++)
        due[count++] = (struct due_message){ { account_id, id }, business_now(&business) };
    offering = true;
    size_t taken = dispatcher_offer(d, due, count);
    offering = false;
    return taken;
}

static size_t offer(int64_t first, int64_t last)
{
    return offer_of(1, first, last);
}

static struct message_ref ref(int64_t id)
{
    return (struct message_ref){ 1, id };
}

static void record_all(void)
{
    while (store.records.count == 0)
        turn_once(&loop);
    fake_answer_record(&store, 0);
}

static struct dispatcher_stats stats(void)
{
    static struct dispatcher_stats s;
    dispatcher_read_stats(d, &s);
    return s;
}

/* An answer that took so long: what the provider begins in 25 ms follows from it. */
static void answer_after(int64_t latency_ms, int http_status)
{
    fake_end_post(&transport, (struct transport_answer){ .end = TRANSPORT_ANSWERED,
                                                         .http_status = http_status,
                                                         .body = "{\"id\":\"p-1\"}",
                                                         .body_whole = true,
                                                         .begun_us = mono_now_us() - latency_ms * 1000 });
}

TestSuite(dispatcher, .init = begin);

Test(dispatcher, a_due_message_is_claimed_posted_recorded_and_forgotten)
{
    start();
    cr_assert_eq(offer(1, 1), 1);
    cr_assert_eq(store.claims.count, 1);
    cr_assert_eq(transport.total, 0, "posted before its claim was committed");
    cr_assert(dispatcher_in_flight(d, ref(1)));
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    cr_assert_eq(transport.total, 1);
    cr_assert_eq(asked_may_send, 1);
    fake_answer_post(&transport, 200);
    cr_assert(dispatcher_in_flight(d, ref(1)), "not before the database answered");
    record_all();
    cr_assert_not(dispatcher_in_flight(d, ref(1)));
    cr_assert_eq(stats().outcomes[OUTCOME_SENT], 1);
    cr_assert_eq(stats().late.count, 1);
    cr_assert_eq(set_count, 0);
    finish();
}

Test(dispatcher, what_is_planned_next_goes_into_the_wheel)
{
    start();
    offer(1, 1);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    fake_answer_post(&transport, 200);
    while (store.records.count == 0)
        turn_once(&loop);
    struct fake_call *c = fake_take(&store.records);
    struct recorded_row row = { .ref = ref(1), .accepted = true, .has_next = true, .next = { ref(2), { 77 } } };
    c->on_record(c->arg, OK, NULL, &row, 1);
    free(c);
    cr_assert_eq(set_count, 1);
    cr_assert_eq(sets[0].ref.message_id, 2);
    cr_assert_eq(sets[0].due.us, 77);
    finish();
}

Test(dispatcher, what_was_posted_is_recorded_under_leases_that_are_held_but_not_valid)
{
    start();
    offer(1, 1);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    no_leases = true; /* leaving, or their deadline has passed */
    fake_answer_post(&transport, 429);
    while (store.records.count == 0)
        turn_once(&loop);
    cr_assert_eq(store.records.calls[0]->results[0].outcome, OUTCOME_RETRY);
    cr_assert_eq(store.records.calls[0]->leases, 1, "its retry is not taken, and it ends in doubt");
    fake_answer_record(&store, 0);
    finish();
}

Test(dispatcher, a_claim_never_asks_for_more_than_there_are_slots)
{
    providers[0].concurrency_max = 5;
    start();
    cr_assert_eq(offer(1, 20), 5);
    cr_assert_eq(store.claims.count, 1);
    cr_assert_eq(store.claims.calls[0]->count, 5);
    cr_assert_eq(offer(6, 20), 0);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    cr_assert_eq(offer(6, 20), 0, "five are being posted");
    answer_after(1000, 200);
    cr_assert_eq(offer(6, 20), 1, "a slow provider: nothing ahead");
    cr_assert_eq(store.claims.calls[0]->count, 1);
    fake_answer_claim(&store, CLAIM_GONE, "a");
    while (transport.count > 0)
        fake_answer_post(&transport, 200);
    finish();
}

/* Five slots, the first answer after `latency_ms`: five are being posted, and as many as this answers wait for their slots: `most`,
 * or fewer where a busy machine made the answer later. */
static size_t claim_ahead(int64_t latency_ms, size_t most)
{
    providers[0].concurrency_max = 5;
    start();
    cr_assert_eq(offer(1, 500), 5, "nothing is known of the provider");
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    answer_after(latency_ms, 200);
    size_t ahead = offer(6, 505) - 1;
    cr_assert(ahead > 1 && ahead <= most, "%zu", ahead);
    cr_assert_eq(store.claims.calls[0]->count, 1 + ahead, "one claim");
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    cr_assert_eq(transport.count, 5);
    cr_assert_eq(transport.total, 6);
    cr_assert_eq(stats().slots, 5 + ahead);
    return ahead;
}

static void take_all_back(size_t count)
{
    cr_assert_eq(store.unclaims.count, 1, "one unclaim for all");
    struct fake_call *c = fake_take(&store.unclaims);
    cr_assert_eq(c->count, count);
    cr_assert_eq(c->results[0].attempts, 1);
    cr_assert_eq(c->results[0].epoch, 5);
    c->on_due(c->arg, OK, NULL, NULL, 0);
    free(c);
}

static bool posts_message(size_t at, int64_t id)
{
    char key[64];
    const struct transport_request *r = transport.posts[at].request;
    snprintf(key, sizeof key, "fu/1/%lld/1", (long long)id);
    for (size_t i = 0; i < r->header_count; i++) {
        const char *found = strstr(r->headers[i], key);
        if (found != NULL && (found[strlen(key)] == '\0' || found[strlen(key)] == '"'))
            return true;
    }
    return false;
}

Test(dispatcher, a_backlog_is_claimed_ahead_and_posted_in_order_as_slots_come_free)
{
    size_t ahead = claim_ahead(5, 25);
    for (int64_t id = 7; id <= 6 + (int64_t)ahead; id++) {
        answer_after(5, 200);
        cr_assert_eq(transport.count, 5, "never more than there are slots, and none idle");
        cr_assert(posts_message(4, id), "message %lld is not the next", (long long)id);
    }
    cr_assert_eq(asked_may_send, 6 + 2 * (int)ahead, "asked again before each POST");
    while (transport.count > 0)
        answer_after(5, 200);
    cr_assert_eq(stats().slots, 0);
    cr_assert_eq(stats().given_back, 0);
    finish();
}

Test(dispatcher, a_quick_provider_is_claimed_for_at_most_128_ahead)
{
    claim_ahead(0, 125);
    while (transport.count > 0)
        fake_answer_post(&transport, 200);
    finish();
}

Test(dispatcher, what_is_claimed_ahead_is_not_posted_when_the_lease_is_over)
{
    size_t ahead = claim_ahead(5, 25);
    lease_lost = true;
    answer_after(5, 200);
    cr_assert_eq(transport.total, 6);
    take_all_back(ahead);
    while (transport.count > 0)
        answer_after(5, 200);
    cr_assert_eq(transport.total, 6);
    cr_assert_eq(stats().slots, 0);
    finish();
}

Test(dispatcher, what_is_claimed_ahead_is_given_back_when_the_breaker_opens)
{
    size_t ahead = claim_ahead(5, 25);
    answer_after(5, 401);
    cr_assert_eq(transport.total, 6);
    take_all_back(ahead);
    while (transport.count > 0)
        answer_after(5, 200);
    finish();
}

Test(dispatcher, what_is_claimed_ahead_is_given_back_when_the_worker_stops)
{
    size_t ahead = claim_ahead(5, 25);
    dispatcher_drain(d, on_drained, NULL);
    take_all_back(ahead);
    while (transport.count > 0)
        answer_after(5, 200);
    cr_assert_eq(transport.total, 6);
    while (drains == 0) {
        if (store.records.count > 0)
            fake_answer_record(&store, 0);
        turn_once(&loop);
    }
    finish();
}

Test(dispatcher, what_is_claimed_ahead_does_not_wait_for_a_provider_that_became_slow)
{
    size_t ahead = claim_ahead(5, 25);
    /* Each when its own time is over: in more than one look, if that falls between them. */
    while (stats().given_back < ahead) {
        turn_once(&loop);
        while (store.unclaims.count > 0) {
            struct fake_call *c = fake_take(&store.unclaims);
            c->on_due(c->arg, OK, NULL, NULL, 0);
            free(c);
        }
    }
    cr_assert_eq(transport.total, 6);
    answer_after(5, 200);
    cr_assert_eq(offer(100, 200), 1, "and nothing is claimed ahead for a while");
    fake_answer_claim(&store, CLAIM_GONE, "a");
    while (transport.count > 0)
        answer_after(5, 200);
    finish();
}

Test(dispatcher, what_is_claimed_ahead_is_dropped_unposted_when_all_is_aborted)
{
    claim_ahead(5, 25);
    dispatcher_abort(d);
    cr_assert_eq(store.unclaims.count, 0, "the store is touched no more");
    while (transport.count > 0)
        answer_after(5, 200);
    cr_assert_eq(transport.total, 6);
    finish();
}

/* --- claimed before it is due ------------------------------------------------------------------------------------ */

static struct wall in_ms(int64_t ms)
{
    return (struct wall){ business_now(&business).us + ms * 1000 };
}

/* One message that is due then, offered and claimed. */
static void claim_early(int64_t id, struct wall due)
{
    const struct due_message m = { ref(id), due };
    cr_assert_eq(dispatcher_offer(d, &m, 1), 1);
    struct fake_call *c = fake_take(&store.claims);
    struct claim_row row = fake_row(m.ref);
    row.due = due;
    c->on_claim(c->arg, OK, NULL, &row, 1);
    free(c);
}

static void wait_for_post(size_t total)
{
    for (int i = 0; i < 5000 && transport.total < total; i++)
        turn_once(&loop);
    cr_assert_eq(transport.total, total);
}

static void end_posts(void)
{
    while (transport.count > 0)
        fake_answer_post(&transport, 200);
}

Test(dispatcher, what_is_claimed_early_is_posted_when_it_is_due_and_never_before)
{
    start();
    struct wall due = in_ms(40);
    claim_early(1, due);
    cr_assert(transport.total == 0 || business_now(&business).us >= due.us);
    cr_assert(dispatcher_in_flight(d, ref(1)));
    wait_for_post(1);
    cr_assert_geq(business_now(&business).us, due.us);
    cr_assert_eq(asked_may_send, 2, "at the claim and at the POST");
    end_posts();
    cr_assert_eq(stats().late.count, 1);
    cr_assert_eq(stats().slots, 0);
    finish();
}

Test(dispatcher, a_clock_that_may_be_ahead_posts_later_by_that_much)
{
    int64_t now_us = mono_now_us();
    business_clock_set(&business, wall_now(), 1.0, now_us - 20000, now_us + 20000);
    start();
    struct wall due = in_ms(5);
    claim_early(1, due);
    wait_for_post(1);
    cr_assert_geq(business_now(&business).us, due.us + 20000);
    end_posts();
    finish();
}

/* The database says that it is due within 50 ms: an hour of our own waiting would be wrong. */
Test(dispatcher, a_clock_that_is_an_hour_behind_holds_nothing_for_an_hour)
{
    start();
    claim_early(1, in_ms(3600000));
    wait_for_post(1);
    end_posts();
    finish();
}

Test(dispatcher, what_is_claimed_early_is_posted_in_the_order_in_which_it_is_due)
{
    start();
    struct wall first = in_ms(40);
    claim_early(1, (struct wall){ first.us + 5000 });
    claim_early(2, first);
    claim_early(3, (struct wall){ first.us + 2000 });
    bool all_held = transport.total == 0; /* unless this took 40 ms */
    wait_for_post(3);
    cr_assert(!all_held || (posts_message(0, 2) && posts_message(1, 3) && posts_message(2, 1)));
    end_posts();
    finish();
}

static void give_back_early(void)
{
    while (store.unclaims.count == 0)
        turn_once(&loop);
    take_all_back(1);
    cr_assert_eq(transport.total, 0);
    cr_assert_eq(stats().slots, 0);
    cr_assert_not(dispatcher_in_flight(d, ref(1)));
}

Test(dispatcher, a_lease_that_is_lost_before_the_due_time_posts_nothing)
{
    start();
    claim_early(1, in_ms(20));
    lease_lost = true;
    give_back_early();
    finish();
}

Test(dispatcher, a_worker_that_stops_gives_back_at_once_what_is_not_due)
{
    start();
    claim_early(1, in_ms(3600000));
    dispatcher_drain(d, on_drained, NULL);
    cr_assert_eq(store.unclaims.count, 1);
    give_back_early();
    while (drains == 0)
        turn_once(&loop);
    finish();
}

Test(dispatcher, what_is_not_due_is_dropped_unposted_when_all_is_aborted)
{
    start();
    claim_early(1, in_ms(3600000));
    dispatcher_abort(d);
    cr_assert_eq(store.unclaims.count, 0, "the store is touched no more");
    cr_assert_eq(stats().slots, 0);
    for (int i = 0; i < 80; i++)
        turn_once(&loop);
    cr_assert_eq(transport.total, 0);
    finish();
}

Test(dispatcher, what_is_taken_out_before_it_is_due_is_given_back)
{
    start();
    claim_early(1, in_ms(3600000));
    dispatcher_cancel(d, ref(2));
    cr_assert_eq(store.unclaims.count, 0, "another message");
    dispatcher_cancel(d, ref(1));
    give_back_early();
    finish();
}

Test(dispatcher, many_that_are_taken_out_are_given_back_in_one_call)
{
    providers[0].concurrency_max = 200;
    start();
    for (int64_t id = 1; id <= 20; id++)
        claim_early(id, in_ms(3600000));
    for (int64_t id = 1; id <= 20; id++)
        dispatcher_cancel(d, ref(id));
    turn();
    take_all_back(20);
    cr_assert_eq(stats().slots, 0);
    cr_assert_eq(stats().in_flight, 0);
    finish();
}

Test(dispatcher, what_is_taken_out_just_before_all_is_aborted_is_dropped)
{
    start();
    claim_early(1, in_ms(3600000));
    dispatcher_cancel(d, ref(1));
    dispatcher_abort(d);
    turn();
    cr_assert_eq(store.unclaims.count, 0, "the store is touched no more");
    cr_assert_eq(stats().in_flight, 0);
    finish();
}

Test(dispatcher, what_is_taken_out_while_it_is_claimed_is_given_back)
{
    start();
    offer(1, 2);
    dispatcher_cancel(d, ref(1));
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    take_all_back(1);
    cr_assert_eq(transport.total, 1);
    cr_assert(posts_message(0, 2));
    dispatcher_cancel(d, ref(2));
    cr_assert_eq(store.unclaims.count, 0, "it has left");
    end_posts();
    cr_assert_eq(stats().outcomes[OUTCOME_SENT], 1);
    finish();
}

static bool may_begin(size_t at)
{
    return transport.posts[at].request->may_begin(transport.posts[at].arg);
}

Test(dispatcher, what_is_taken_out_or_lost_while_it_connects_does_not_leave)
{
    start();
    offer(1, 3);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    cr_assert_eq(transport.count, 3);
    dispatcher_cancel(d, ref(1));
    cr_assert_not(may_begin(0));
    cr_assert(may_begin(1));
    lease_lost = true;
    cr_assert_not(may_begin(2));
    end_posts();
    finish();
}

Test(dispatcher, what_was_called_off_says_nothing_of_its_provider)
{
    config.breaker_failures_max = 1;
    start();
    offer(1, 1);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    dispatcher_cancel(d, ref(1));
    fake_end_post(&transport, (struct transport_answer){ .end = TRANSPORT_NOT_SENT, .called_off = true });
    cr_assert_eq(dispatcher_provider_at(d, 0).breaker, BREAKER_CLOSED);
    cr_assert_eq(stats().slots, 0);
    while (store.records.count == 0)
        turn_once(&loop);
    cr_assert_eq(store.records.calls[0]->results[0].outcome, OUTCOME_RETRY);
    cr_assert(store.records.calls[0]->results[0].uncounted, "it keeps its key");
    fake_answer_record(&store, 0);
    finish();
}

Test(dispatcher, what_waits_for_a_slot_and_is_taken_out_is_given_back)
{
    size_t ahead = claim_ahead(5, 25);
    dispatcher_cancel(d, ref(7));
    turn();
    take_all_back(1);
    answer_after(5, 200);
    cr_assert(posts_message(4, 8), "the one after it is next");
    while (transport.count > 0)
        answer_after(5, 200);
    cr_assert_eq(transport.total, 5 + ahead);
    finish();
}

/* Ten slots: what the first POST to end frees is not worth a commit of its own, half of them is. */
Test(dispatcher, room_is_told_when_half_of_the_slots_are_free)
{
    providers[0].concurrency_max = 10;
    config.company_ms = 60000;
    start();
    cr_assert_eq(offer(1, 20), 10);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    cr_assert_eq(offer(11, 20), 0);
    for (int i = 0; i < 4; i++)
        answer_after(1000, 200);
    uv_run(&loop, UV_RUN_NOWAIT);
    cr_assert_eq(rooms, 0, "four of ten");
    answer_after(1000, 200);
    uv_run(&loop, UV_RUN_NOWAIT);
    cr_assert_eq(rooms, 1);
    cr_assert_eq(offer(11, 20), 5);
    fake_answer_claim(&store, CLAIM_GONE, "a");
    while (transport.count > 0)
        fake_answer_post(&transport, 200);
    finish();
}

Test(dispatcher, a_few_free_slots_are_told_of_a_little_later)
{
    providers[0].concurrency_max = 10;
    start();
    cr_assert_eq(offer(1, 20), 10);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    cr_assert_eq(offer(11, 20), 0);
    answer_after(1000, 200);
    while (rooms == 0)
        turn_once(&loop);
    cr_assert_eq(offer(11, 20), 1);
    fake_answer_claim(&store, CLAIM_GONE, "a");
    while (transport.count > 0)
        fake_answer_post(&transport, 200);
    finish();
}

Test(dispatcher, the_rate_bounds_what_is_claimed)
{
    providers[0].rate_per_s = 0.001;
    start();
    cr_assert_eq(offer(1, 20), 1);
    fake_answer_claim(&store, CLAIM_GONE, "a");
    cr_assert_eq(offer(2, 20), 1, "nothing was posted: its token came back");
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    fake_answer_post(&transport, 200);
    cr_assert_eq(offer(3, 20), 0);
    finish();
}

Test(dispatcher, claims_under_way_and_messages_in_flight_are_bounded)
{
    config.in_flight_max = 10;
    config.batch_rows = 4;
    start();
    cr_assert_eq(offer(1, 100), 8, "two claims of four");
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    cr_assert_eq(offer(9, 100), 2, "ten slots");
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    cr_assert_eq(offer(11, 100), 0);
    cr_assert_eq(stats().slots, 10);
    while (transport.count > 0)
        fake_answer_post(&transport, 200);
    finish();
}

Test(dispatcher, results_that_cannot_be_recorded_stop_the_claims_and_are_not_lost)
{
    config.in_flight_max = 4;
    start();
    int64_t id = 1;
    for (int round = 0; round < 2; round++) {
        cr_assert_eq(offer(id, id + 9), 4);
        id += 4;
        fake_answer_claim(&store, CLAIM_CLAIMED, "a");
        while (transport.count > 0)
            fake_answer_post(&transport, 200);
    }
    cr_assert_eq(offer(id, id + 9), 0, "eight wait to be recorded");
    cr_assert_eq(stats().in_flight, 8);
    struct message_ref refs[8];
    size_t listed = dispatcher_list_in_flight(d, refs, 8);
    cr_assert_eq(listed, 8);
    for (size_t i = 0; i < listed; i++)
        cr_assert(dispatcher_in_flight(d, refs[i]));
    size_t before = rooms;
    while (stats().in_flight > 0) {
        record_all();
        turn();
    }
    cr_assert_gt(rooms, before, "nobody was told that there is room");
    cr_assert_eq(offer(id, id + 9), 4);
    fake_answer_claim(&store, CLAIM_GONE, "a");
    finish();
}

Test(dispatcher, nothing_is_claimed_while_the_database_is_away_and_room_is_told_afterwards)
{
    start();
    store.up = false;
    cr_assert_eq(offer(1, 3), 0);
    cr_assert_eq(store.claims.total, 0);
    store.up = true;
    dispatcher_wake(d);
    turn();
    cr_assert_eq(rooms, 1);
    cr_assert_eq(offer(1, 3), 3);
    fake_answer_claim(&store, CLAIM_GONE, "a");
    finish();
}

Test(dispatcher, nothing_is_claimed_without_a_lease)
{
    start();
    no_leases = true;
    cr_assert_eq(offer(1, 3), 0);
    no_leases = false;
    cr_assert_eq(offer(1, 3), 3);
    fake_answer_claim(&store, CLAIM_GONE, "a");
    finish();
}

Test(dispatcher, a_lost_lease_means_given_back_and_not_posted)
{
    start();
    lease_lost = true;
    offer(1, 2);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    cr_assert_eq(transport.total, 0);
    cr_assert_eq(store.unclaims.count, 1);
    cr_assert_eq(store.unclaims.calls[0]->count, 2);
    cr_assert_eq(store.unclaims.calls[0]->results[0].epoch, 5);
    cr_assert(dispatcher_in_flight(d, ref(1)));
    struct fake_call *c = fake_take(&store.unclaims);
    struct due_message again = { ref(1), { 9 } };
    c->on_due(c->arg, OK, NULL, &again, 1);
    free(c);
    cr_assert_eq(set_count, 1);
    cr_assert_not(dispatcher_in_flight(d, ref(2)));
    cr_assert_eq(stats().slots, 0);
    finish();
}

Test(dispatcher, a_claim_answered_too_late_is_given_back_and_not_posted)
{
    config.begin_within_ms = 5;
    start();
    offer(1, 1);
    for (struct mono until = mono_add(mono_now(), 20); !mono_reached(until, mono_now());)
        continue;
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    cr_assert_eq(transport.total, 0);
    cr_assert_eq(store.unclaims.count, 1);
    struct fake_call *c = fake_take(&store.unclaims);
    c->on_due(c->arg, E_GONE, NULL, NULL, 0);
    free(c);
    cr_assert_not(dispatcher_in_flight(d, ref(1)), "sweep_sending must be able to find it");
    finish();
}

Test(dispatcher, what_the_transport_has_no_room_for_is_given_back_and_asked_again_a_little_later)
{
    start();
    transport.refuse = E_LIMIT;
    claim_early(1, in_ms(-1000));
    cr_assert_eq(stats().slots, 0);
    struct fake_call *c = fake_take(&store.unclaims);
    const struct due_message back = { ref(1), business_now(&business) };
    c->on_due(c->arg, OK, NULL, &back, 1);
    free(c);
    cr_assert_eq(put_off_count, 1, "at once it would be claimed and given back without end");
    cr_assert_gt(sets[set_count - 1].due.us, back.due.us);
    cr_assert_not(dispatcher_in_flight(d, ref(1)));
    finish();
}

Test(dispatcher, a_busy_message_is_asked_again_a_little_later)
{
    start();
    offer(1, 1);
    int64_t before = business_now(&business).us;
    fake_answer_claim(&store, CLAIM_BUSY, "a");
    cr_assert_eq(set_count, 1);
    cr_assert_eq(sets[0].ref.message_id, 1);
    cr_assert_geq(sets[0].due.us, before + config.busy_again_ms * 1000);
    cr_assert_not(dispatcher_in_flight(d, ref(1)));
    cr_assert_eq(offer(1, 1), 1);
    cr_assert_eq(store.claims.count, 1);
    fake_answer_claim(&store, CLAIM_GONE, "a");
    finish();
}

Test(dispatcher, many_busy_messages_are_asked_again_later_than_few)
{
    config.in_flight_max = 500;
    providers[0].concurrency_max = 1000;
    start();
    int64_t asked = 0;
    for (int i = 0; i < 30; i++) {
        asked += (int64_t)offer(asked + 1, asked + 30);
        fake_answer_claim(&store, CLAIM_BUSY, "a");
    }
    cr_assert_gt(sets[set_count - 1].due.us - sets[0].due.us, 100000);
    finish();
}

Test(dispatcher, a_moved_message_is_set_and_one_that_is_gone_is_forgotten)
{
    start();
    offer(1, 2);
    struct fake_call *c = fake_take(&store.claims);
    struct claim_row rows[2] = { fake_row(ref(1)), fake_row(ref(2)) };
    rows[0].verdict = CLAIM_MOVED;
    rows[0].due = in_ms(60000);
    rows[1].verdict = CLAIM_GONE;
    c->on_claim(c->arg, OK, NULL, rows, 2);
    free(c);
    cr_assert_eq(set_count, 1);
    cr_assert_eq(sets[0].due.us, rows[0].due.us);
    cr_assert_eq(stats().in_flight, 0);
    cr_assert_eq(transport.total, 0);
    finish();
}

Test(dispatcher, what_is_due_by_our_clock_alone_is_asked_for_a_little_later)
{
    start();
    struct due_message due = { ref(1), business_now(&business) };
    cr_assert_eq(dispatcher_offer(d, &due, 1), 1);
    struct fake_call *c = fake_take(&store.claims);
    struct claim_row row = fake_row(due.ref);
    row.verdict = CLAIM_MOVED;
    row.due = due.due;
    c->on_claim(c->arg, OK, NULL, &row, 1);
    free(c);
    cr_assert_eq(set_count, 1);
    cr_assert_gt(sets[0].due.us, due.due.us, "and not at once, for ever");
    finish();
}

Test(dispatcher, what_is_in_flight_is_taken_but_not_claimed_twice)
{
    start();
    offer(1, 1);
    cr_assert_eq(offer(1, 1), 1);
    cr_assert_eq(store.claims.total, 1);
    fake_answer_claim(&store, CLAIM_GONE, "a");
    cr_assert_eq(set_count, 1, "offered meanwhile: asked once more");
    finish();
}

Test(dispatcher, a_claim_that_failed_is_asked_again_and_holds_no_slot)
{
    start();
    offer(1, 3);
    fake_fail_claim(&store, E_TIMEOUT);
    cr_assert_eq(set_count, 3);
    cr_assert_eq(stats().slots, 0);
    cr_assert_eq(stats().in_flight, 0);
    cr_assert_eq(stats().claim_failures, 1);
    finish();
}

Test(dispatcher, a_message_that_the_database_refuses_is_soon_asked_for_alone)
{
    start();
    offer(1, 10);
    fake_fail_claim(&store, E_DB);
    cr_assert_eq(set_count, 10);
    for (size_t i = 1; i < set_count; i++)
        cr_assert_geq(sets[i].due.us - sets[i - 1].due.us, 90000, "apart");
    cr_assert_leq(sets[9].due.us, in_ms(2000).us);
    set_count = 0;
    offer(1, 1);
    fake_fail_claim(&store, E_DB);
    cr_assert_eq(set_count, 1);
    cr_assert_gt(sets[0].due.us, in_ms(2000).us, "rarely: whatever is due just then is refused with it");
    finish();
}

static enum status refuse_claim(struct store *s, struct lease_set leases, const struct message_ref *refs, size_t count,
                                store_claim_cb cb, void *arg)
{
    (void)s, (void)leases, (void)refs, (void)count, (void)cb, (void)arg;
    return E_BUSY;
}

Test(dispatcher, a_claim_that_could_not_be_asked_is_set_again_in_the_next_turn)
{
    struct store_ops ops = fake_store_ops;
    ops.claim = refuse_claim;
    store.store.ops = &ops;
    config.batch_rows = 10;
    start();
    size_t taken = offer(1, 30);
    cr_assert_eq(taken, 30);
    cr_assert_eq(stats().slots, 0);
    turn();
    cr_assert_eq(set_count, taken);
    finish();
}

Test(dispatcher, a_message_without_an_answer_in_the_claim_is_asked_again)
{
    start();
    offer(1, 2);
    struct fake_call *c = fake_take(&store.claims);
    struct claim_row row = fake_row(ref(1));
    row.verdict = CLAIM_GONE;
    c->on_claim(c->arg, OK, NULL, &row, 1);
    free(c);
    cr_assert_eq(set_count, 1);
    cr_assert_eq(sets[0].ref.message_id, 2);
    cr_assert_eq(stats().in_flight, 0);
    finish();
}

Test(dispatcher, a_letter_that_cannot_be_made_is_rejected_and_never_posted)
{
    start();
    offer(1, 1);
    struct fake_call *c = fake_take(&store.claims);
    struct claim_row row = fake_row(ref(1));
    row.fields = "{}";
    c->on_claim(c->arg, OK, NULL, &row, 1);
    free(c);
    cr_assert_eq(transport.total, 0);
    cr_assert_eq(stats().slots, 0);
    while (store.records.count == 0)
        turn_once(&loop);
    cr_assert_eq(store.records.calls[0]->results[0].outcome, OUTCOME_REJECTED);
    cr_assert_not_null(strstr(store.records.calls[0]->details[0], "first_name"));
    fake_answer_record(&store, 0);
    finish();
}

Test(dispatcher, a_refusing_provider_stops_the_claims_and_its_messages_keep_their_key)
{
    start();
    offer(1, 2);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    fake_answer_post(&transport, 401);
    fake_answer_post(&transport, 401);
    cr_assert_eq(dispatcher_provider_at(d, 0).breaker, BREAKER_OPEN);
    cr_assert_not(dispatcher_has_room(d));
    cr_assert_eq(offer(3, 9), 0);
    while (store.records.count == 0)
        turn_once(&loop);
    cr_assert_eq(store.records.calls[0]->results[0].outcome, OUTCOME_RETRY);
    cr_assert(store.records.calls[0]->results[0].uncounted);
    cr_assert_geq(store.records.calls[0]->results[0].retry_after_ms, 1000);
    fake_answer_record(&store, 0);
    finish();
}

Test(dispatcher, nothing_begins_at_a_refusing_provider_though_its_claim_was_under_way)
{
    start();
    offer(1, 1);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    offer(2, 4);
    fake_answer_post(&transport, 401);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    cr_assert_eq(transport.total, 1);
    take_all_back(3);
    finish();
}

/* More than one unclaim can hold: early, in two claims, when the worker stops. */
Test(dispatcher, all_that_was_claimed_early_is_given_back_however_much_it_is)
{
    const size_t many = STORE_BATCH_MAX + 100;
    providers[0].concurrency_max = (int)many;
    config.in_flight_max = 2 * many;
    config.batch_rows = STORE_BATCH_MAX;
    start();
    int64_t id = 1;
    while (dispatcher_provider_at(d, 0).window < many) { /* each answer widens it */
        id += (int64_t)offer(id, id + 899);
        while (store.claims.count > 0)
            fake_answer_claim(&store, CLAIM_CLAIMED, "a");
        end_posts();
        record_all();
    }
    struct due_message due[STORE_BATCH_MAX + 100];
    for (size_t i = 0; i < many; i++)
        due[i] = (struct due_message){ { 1, id + (int64_t)i }, in_ms(60000) };
    cr_assert_eq(dispatcher_offer(d, due, many), many);
    while (store.claims.count > 0) {
        struct fake_call *c = fake_take(&store.claims);
        struct claim_row rows[STORE_BATCH_MAX];
        for (size_t i = 0; i < c->count; i++) {
            rows[i] = fake_row(c->refs[i]);
            rows[i].due = due[0].due;
        }
        c->on_claim(c->arg, OK, NULL, rows, c->count);
        free(c);
    }
    dispatcher_drain(d, on_drained, NULL);
    size_t given_back = 0;
    while (store.unclaims.count > 0) {
        struct fake_call *c = fake_take(&store.unclaims);
        given_back += c->count;
        c->on_due(c->arg, OK, NULL, NULL, 0);
        free(c);
    }
    cr_assert_eq(given_back, many);
    finish();
}

Test(dispatcher, a_probe_that_is_gone_leaves_room_for_another)
{
    config.breaker_open_ms = 1;
    start();
    offer(1, 1);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    fake_answer_post(&transport, 403);
    while (offer(2, 9) == 0)
        turn_once(&loop);
    cr_assert_eq(store.claims.calls[0]->count, 1, "one probe");
    cr_assert_not(dispatcher_has_room(d), "while it is out");
    cr_assert_eq(offer(3, 9), 0);
    fake_answer_claim(&store, CLAIM_GONE, "a");
    cr_assert(dispatcher_has_room(d));
    cr_assert_eq(offer(3, 9), 1);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    fake_answer_post(&transport, 200);
    cr_assert_eq(dispatcher_provider_at(d, 0).breaker, BREAKER_CLOSED);
    cr_assert_eq(offer(4, 9), 6);
    fake_answer_claim(&store, CLAIM_GONE, "a");
    finish();
}

static void claim_one(int64_t id, const char *provider)
{
    cr_assert_eq(offer(id, id), 1);
    cr_assert_eq(store.claims.count, 1, "it is not asked for");
    fake_answer_claim(&store, CLAIM_CLAIMED, provider);
}

/* Account 1 has provider a, which rests from now on. */
static void let_a_rest(void)
{
    provider_count = 2;
    config.breaker_open_ms = 60000;
    start();
    claim_one(1, "a");
    fake_answer_post(&transport, 403);
}

Test(dispatcher, an_account_that_is_not_known_yet_does_not_wait_for_a_default_provider_that_rests)
{
    let_a_rest();
    cr_assert_eq(offer_of(2, 2, 9), 8);
    cr_assert_eq(store.claims.count, 1, "nobody has said that it has provider a");
    cr_assert_eq(store.claims.calls[0]->count, 8);
    fake_answer_claim(&store, CLAIM_CLAIMED, "b");
    cr_assert_eq(transport.count, 8);
    end_posts();
    finish();
}

Test(dispatcher, an_account_that_is_given_another_provider_does_not_wait_for_the_one_that_rests)
{
    let_a_rest();
    cr_assert_eq(offer(2, 9), 8);
    cr_assert_eq(store.claims.calls[0]->count, 1, "one is asked, the others queue");
    turn();
    cr_assert_eq(put_off_count, 7);
    fake_answer_claim(&store, CLAIM_CLAIMED, "b");
    cr_assert_eq(transport.count, 1);
    cr_assert_eq(offer(10, 19), 10);
    cr_assert_eq(store.claims.calls[0]->count, 10);
    fake_answer_claim(&store, CLAIM_CLAIMED, "b");
    end_posts();
    finish();
}

Test(dispatcher, an_account_whose_provider_rests_is_asked_about_now_and_then)
{
    let_a_rest();
    claim_one(2, "a");
    take_all_back(1);
    turn();
    cr_assert_eq(put_off_count, 1, "it was given back, and is not asked for again at once");
    cr_assert_gt(sets[0].due.us, in_ms(30000).us);
    cr_assert_eq(offer(3, 9), 7);
    cr_assert_eq(store.claims.count, 0);
    finish();
}

Test(dispatcher, of_an_account_with_two_providers_one_that_rests_does_not_hold_up_the_other)
{
    let_a_rest();
    claim_one(2, "b");
    claim_one(3, "a");
    take_all_back(1);
    for (int64_t id = 4; id < 8; id++) {
        claim_one(id, "b");
        claim_one(id + 10, "a");
        take_all_back(1);
    }
    cr_assert_eq(transport.count, 5);
    end_posts();
    finish();
}

Test(dispatcher, what_may_be_anothers_leaves_half_of_a_providers_slots_to_its_own)
{
    providers[1].concurrency_max = 4;
    let_a_rest();
    cr_assert_eq(offer_of(2, 2, 9), 8);
    cr_assert_eq(store.claims.calls[0]->count, 2);
    fake_answer_claim(&store, CLAIM_CLAIMED, "b");
    cr_assert_eq(offer_of(2, 10, 19), 10);
    cr_assert_eq(store.claims.calls[0]->count, 2, "now it is known whose they are");
    fake_answer_claim(&store, CLAIM_GONE, "b");
    end_posts();
    finish();
}

Test(dispatcher, the_slot_follows_the_provider_that_the_claim_names)
{
    provider_count = 2;
    providers[0].concurrency_max = providers[1].concurrency_max = 2;
    start();
    cr_assert_eq(offer(1, 2), 2);
    fake_answer_claim(&store, CLAIM_CLAIMED, "b");
    cr_assert_eq(transport.total, 2);
    cr_assert_eq(offer(3, 3), 1, "b has no room: set again, so that a is not held up");
    cr_assert_eq(store.claims.count, 0);
    cr_assert_eq(offer_of(2, 4, 5), 2, "a has its two slots again");
    fake_answer_claim(&store, CLAIM_GONE, "a");
    turn();
    cr_assert_eq(set_count, 1);
    cr_assert_eq(put_off_count, 1, "the sweep would undo a time that is not the database's");
    cr_assert_gt(sets[0].due.us, business_now(&business).us);
    while (transport.count > 0)
        fake_answer_post(&transport, 200);
    finish();
}

Test(dispatcher, what_is_loaded_anew_queues_anew)
{
    provider_count = 2;
    providers[0].rate_per_s = 0.1;
    start();
    claim_one(5, "a");
    cr_assert_eq(offer(1, 3), 3);
    cr_assert_eq(store.claims.count, 0, "they queue");
    turn();
    cr_assert_eq(put_off_count, 3);
    int64_t first_us = sets[0].due.us;
    cr_assert_gt(sets[2].due.us, first_us + 15000000);
    cr_assert_eq(offer(2, 2), 1);
    turn();
    cr_assert_gt(sets[3].due.us, first_us + 25000000, "behind the others");
    dispatcher_reloaded(d);
    cr_assert_eq(offer(2, 2), 1);
    turn();
    cr_assert_lt(sets[4].due.us, first_us + 5000000);
    end_posts();
    finish();
}

Test(dispatcher, more_than_the_named_provider_has_room_for_is_given_back)
{
    provider_count = 2;
    providers[0].concurrency_max = 5;
    providers[1].concurrency_max = 2;
    start();
    cr_assert_eq(offer(1, 5), 5);
    fake_answer_claim(&store, CLAIM_CLAIMED, "b");
    cr_assert_eq(transport.total, 2);
    cr_assert_eq(store.unclaims.calls[0]->count, 3);
    cr_assert_eq(offer_of(2, 6, 10), 5, "a has its slots again");
    fake_answer_claim(&store, CLAIM_GONE, "a");
    while (transport.count > 0)
        fake_answer_post(&transport, 200);
    struct fake_call *c = fake_take(&store.unclaims);
    const struct due_message back = { ref(3), business_now(&business) };
    c->on_due(c->arg, OK, NULL, &back, 1);
    free(c);
    turn();
    cr_assert_eq(put_off_count, 3, "asked for again at once they would be given back again");
    cr_assert_gt(sets[set_count - 1].due.us, back.due.us);
    finish();
}

Test(dispatcher, a_provider_nobody_configured_is_a_retry_and_never_posted)
{
    start();
    offer(1, 1);
    fake_answer_claim(&store, CLAIM_CLAIMED, "elsewhere");
    cr_assert_eq(transport.total, 0);
    while (store.records.count == 0)
        turn_once(&loop);
    cr_assert_eq(store.records.calls[0]->results[0].outcome, OUTCOME_RETRY);
    cr_assert(store.records.calls[0]->results[0].uncounted);
    cr_assert_eq(stats().slots, 0);
    fake_answer_record(&store, 0);
    finish();
}

static struct fake_call *wait_for_in_doubt(void)
{
    while (store.in_doubt.count == 0)
        turn_once(&loop);
    return fake_take(&store.in_doubt);
}

/* Answers all that are asked for, with messages that nobody posts. */
static void fill_places(struct fake_call *c)
{
    struct claim_row rows[STORE_BATCH_MAX];
    for (size_t i = 0; i < c->count; i++) {
        rows[i] = fake_row(ref(900 + (int64_t)i));
        rows[i].provider = "nobody";
    }
    c->on_claim(c->arg, OK, NULL, rows, c->count);
    free(c);
}

static void end_policies(void)
{
    while (store.policies.count > 0) {
        struct fake_call *c = fake_take(&store.policies);
        c->on_due(c->arg, OK, NULL, NULL, 0);
        free(c);
    }
}

Test(dispatcher, a_message_in_doubt_is_posted_again_under_its_key)
{
    config.settle_every_ms = 1;
    start();
    struct fake_call *c = wait_for_in_doubt();
    cr_assert_eq(stats().slots, c->count, "its places are set aside");
    struct claim_row row = fake_row(ref(1));
    row.posts = 2;
    c->on_claim(c->arg, OK, NULL, &row, 1);
    free(c);
    cr_assert_eq(transport.total, 1);
    cr_assert_eq(stats().slots, 1);
    fake_answer_post(&transport, 200);
    cr_assert_eq(stats().late.count, 0, "a message in doubt says nothing about lateness");
    while (store.records.count == 0)
        turn_once(&loop);
    cr_assert_eq(store.records.calls[0]->results[0].posts, 2);
    fake_answer_record(&store, 0);
    while (store.in_doubt.count > 0) {
        c = fake_take(&store.in_doubt);
        c->on_claim(c->arg, OK, NULL, NULL, 0);
        free(c);
    }
    end_policies();
    cr_assert_eq(stats().slots, 0);
    finish();
}

Test(dispatcher, no_more_messages_in_doubt_are_taken_than_can_be_posted_at_once)
{
    config.settle_every_ms = 1;
    providers[0].concurrency_max = 5;
    start();
    cr_assert_eq(offer(1, 3), 3);
    struct fake_call *c = wait_for_in_doubt();
    cr_assert_eq(c->count, 2);
    c->on_claim(c->arg, OK, NULL, NULL, 0);
    free(c);
    dispatcher_abort(d);
    fake_answer_claim(&store, CLAIM_GONE, "a");
    end_policies();
    finish();
}

Test(dispatcher, what_is_not_due_leaves_the_slots_to_what_is_in_doubt)
{
    config.settle_every_ms = 1;
    providers[0].concurrency_max = 5;
    start();
    for (int64_t id = 1; id <= 5; id++)
        claim_early(id, in_ms(3600000));
    cr_assert_eq(offer(6, 6), 0, "but all that is claimed has a bound");
    fill_places(wait_for_in_doubt());
    struct fake_call *c = wait_for_in_doubt();
    cr_assert(transport.total > 0 || c->count == 5); /* 0: or this took longer than they are held */
    c->on_claim(c->arg, OK, NULL, NULL, 0);
    free(c);
    dispatcher_abort(d);
    end_posts();
    end_policies();
    finish();
}

Test(dispatcher, of_what_is_in_doubt_each_provider_gets_what_it_has_slots_for_and_keeps_them_until_the_answer)
{
    config.settle_every_ms = 1;
    config.default_provider = "b";
    provider_count = 2;
    providers[1].concurrency_max = 3;
    start();
    fill_places(wait_for_in_doubt());
    struct fake_call *c = wait_for_in_doubt();
    cr_assert_str_eq(c->asked[0].provider, "b", "another one is first");
    cr_assert_eq(c->asked[0].places, 3);
    cr_assert_str_eq(c->asked[1].provider, "a");
    cr_assert_eq(c->asked[1].places, 32);
    cr_assert_eq(offer(11, 15), 5);
    cr_assert_eq(store.claims.total, 0, "its slots are set aside: what is due is set again for later");
    struct claim_row rows[3];
    for (int i = 0; i < 3; i++) {
        rows[i] = fake_row(ref(1 + i));
        rows[i].provider = "b";
    }
    c->on_claim(c->arg, OK, NULL, rows, 3);
    free(c);
    cr_assert_eq(transport.total, 3, "all are posted, none waits twice as long for nothing");
    cr_assert_eq(stats().slots, 3, "the other provider's are free again");
    dispatcher_abort(d);
    for (int i = 0; i < 3; i++)
        fake_answer_post(&transport, 200);
    end_policies();
    turn();
    finish();
}

Test(dispatcher, few_places_are_set_aside_until_they_were_not_enough)
{
    config.settle_every_ms = 1;
    start();
    struct fake_call *c = wait_for_in_doubt();
    cr_assert_eq(c->count, 4);
    c->on_claim(c->arg, OK, NULL, NULL, 0);
    free(c);
    c = wait_for_in_doubt();
    cr_assert_eq(c->count, 4, "nothing is in doubt");
    fill_places(c);
    c = wait_for_in_doubt();
    cr_assert_eq(c->count, 32, "there may be more than four");
    c->on_claim(c->arg, OK, NULL, NULL, 0);
    free(c);
    c = wait_for_in_doubt();
    cr_assert_eq(c->count, 4, "there are none");
    c->on_claim(c->arg, OK, NULL, NULL, 0);
    free(c);
    dispatcher_abort(d);
    end_policies();
    finish();
}

Test(dispatcher, a_message_in_doubt_that_cannot_be_posted_stays_in_doubt)
{
    config.settle_every_ms = 1;
    start();
    lease_lost = true;
    struct fake_call *c = wait_for_in_doubt();
    struct claim_row row = fake_row(ref(1));
    c->on_claim(c->arg, OK, NULL, &row, 1);
    free(c);
    cr_assert_eq(transport.total, 0);
    cr_assert_eq(store.unclaims.total, 0, "given back it would be sent under another key");
    while (store.records.count == 0)
        turn_once(&loop);
    cr_assert_eq(store.records.calls[0]->results[0].outcome, OUTCOME_IN_DOUBT);
    fake_answer_record(&store, 0);
    while (store.in_doubt.count > 0) {
        c = fake_take(&store.in_doubt);
        c->on_claim(c->arg, E_CANCELLED, NULL, NULL, 0);
        free(c);
    }
    end_policies();
    cr_assert_eq(stats().slots, 0);
    finish();
}

Test(dispatcher, what_the_policy_decided_goes_into_the_wheel)
{
    config.settle_every_ms = 1;
    start();
    while (store.policies.count == 0)
        turn_once(&loop);
    struct fake_call *c = fake_take(&store.policies);
    struct due_message next = { ref(9), { 1 } };
    c->on_due(c->arg, OK, NULL, &next, 1);
    free(c);
    cr_assert_eq(set_count, 1);
    cr_assert_eq(sets[0].ref.message_id, 9);
    c = wait_for_in_doubt();
    c->on_claim(c->arg, OK, NULL, NULL, 0);
    free(c);
    dispatcher_abort(d);
    end_policies();
    while (store.in_doubt.count > 0) {
        c = fake_take(&store.in_doubt);
        c->on_claim(c->arg, OK, NULL, NULL, 0);
        free(c);
    }
    finish();
}

Test(dispatcher, in_a_backlog_results_are_recorded_when_they_are_half_of_what_may_be_in_flight)
{
    config.in_flight_max = 4;
    config.batch_wait_ms = 3600000;
    start();
    cr_assert_eq(offer(1, 8), 4);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    fake_answer_post(&transport, 200);
    cr_assert_eq(store.records.count, 0);
    fake_answer_post(&transport, 200);
    cr_assert_eq(store.records.count, 1);
    cr_assert_eq(store.records.calls[0]->count, 2);
    fake_answer_post(&transport, 200);
    fake_answer_post(&transport, 200);
    record_all();
    record_all();
    finish();
}

Test(dispatcher, draining_takes_nothing_new_and_ends_when_all_is_recorded)
{
    config.batch_wait_ms = 3600000;
    start();
    offer(1, 2);
    fake_answer_claim(&store, CLAIM_CLAIMED, "a");
    dispatcher_drain(d, on_drained, NULL);
    cr_assert_eq(offer(3, 4), 0);
    turn();
    cr_assert_eq(drains, 0);
    fake_answer_post(&transport, 200);
    fake_answer_post(&transport, 200);
    turn();
    cr_assert_eq(drains, 0, "nothing is recorded yet");
    while (store.records.count > 0)
        fake_answer_record(&store, 0);
    turn();
    cr_assert_eq(drains, 1);
    cr_assert_eq(store.claims.total, 1);
    finish();
}

Test(dispatcher, draining_when_idle_ends_at_once_but_not_inside_the_call)
{
    start();
    dispatcher_drain(d, on_drained, NULL);
    cr_assert_eq(drains, 0);
    turn();
    cr_assert_eq(drains, 1);
    finish();
}

Test(dispatcher, draining_waits_for_the_policy_s_answer_and_ends_with_it)
{
    config.settle_every_ms = 1;
    start();
    struct fake_call *c = wait_for_in_doubt();
    while (store.policies.count == 0)
        turn_once(&loop);
    dispatcher_drain(d, on_drained, NULL);
    c->on_claim(c->arg, OK, NULL, NULL, 0);
    free(c);
    turn();
    cr_assert_eq(drains, 0, "a statement is under way");
    end_policies();
    turn();
    cr_assert_eq(drains, 1);
    finish();
}

Test(dispatcher, a_default_provider_nobody_configured_is_refused)
{
    struct dispatcher_hooks hooks = { 0 };
    struct err e;
    config.default_provider = "nobody";
    cr_assert_eq(registry_new(providers, 1, &registry, NULL), OK);
    cr_assert_eq(dispatcher_new(NULL, &store.store, &transport.transport, registry, &business, &config, &hooks, &d, &e),
                 E_INVALID);
    cr_assert_str_eq(e.text, "provider 'nobody' is not configured");
    registry_free(registry);
}
