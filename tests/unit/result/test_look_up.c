#include "followupd/result/look_up.h"

#include <criterion/criterion.h>

#include "../fakes.h"

static uv_loop_t loop;
static struct fake_transport transport = { .transport.ops = &fake_transport_ops };
static struct registry *registry;
static struct look_ups *look_ups;
static size_t claims, settles, turns_ended, due;
static bool down, refuse_claim;
static bool rests;

static const struct look_up_row rows[] = {
    { { 1, 11 }, 1, 1, "pm", "<fu-1-11@a.example>", { INT64_C(1764547200000000) } },
    { { 1, 12 }, 2, 1, "mg", "<fu-1-12@a.example>", { INT64_C(1764547200000000) } },
    { { 1, 13 }, 1, 3, "gone", "<fu-1-13@a.example>", { INT64_C(1764547200000000) } },
    { { 1, 14 }, 1, 1, "mg", NULL, { INT64_C(1764547200000000) } }, /* nothing to ask by */
};
static struct {
    struct looked_up answers[8];
    char ids[8][64];
    size_t count;
    store_due_cb cb;
    void *arg;
} settled;

static enum status claim(struct store *s, const struct look_up_request *r, store_look_up_cb cb, void *arg)
{
    (void)s;
    claims++;
    if (refuse_claim)
        return E_GONE;
    cr_assert_eq(r->provider_count, 2, "generic cannot be asked");
    cr_assert_str_eq(r->providers[0], "pm");
    cr_assert_str_eq(r->providers[1], "mg");
    cb(arg, OK, NULL, rows, COUNT_OF(rows));
    return OK;
}

static enum status settle(struct store *s, struct lease_set leases, const struct looked_up *answers, size_t count,
                          store_due_cb cb, void *arg)
{
    (void)s;
    (void)leases;
    settles++;
    settled.count = count;
    for (size_t i = 0; i < count; i++) {
        settled.answers[i] = answers[i];
        snprintf(settled.ids[i], sizeof settled.ids[i], "%s",
                 answers[i].provider_message_id != NULL ? answers[i].provider_message_id : "");
    }
    settled.cb = cb;
    settled.arg = arg;
    return OK;
}

static bool is_up(const struct store *s)
{
    (void)s;
    return !down;
}

static const struct store_ops ops = { .claim_look_ups = claim, .settle_looked_up = settle, .is_up = is_up };
static struct store store = { &ops };

static struct lease_set leases(void *arg)
{
    static const struct shard_lease one = { .shard = 1, .epoch = 1 };
    (void)arg;
    return (struct lease_set){ &one, 1 };
}

static bool may_ask(void *arg, size_t provider)
{
    (void)arg;
    (void)provider;
    return !rests;
}

static void on_due(void *arg, struct due_message row)
{
    (void)arg;
    cr_assert_eq(row.ref.message_id, 99);
    due++;
}

static void on_turn_ended(void *arg)
{
    (void)arg;
    turns_ended++;
}

static void start(void)
{
    static const struct provider_config configs[] = {
        { .name = "plain", .type = "generic", .url = "http://a/", .concurrency_max = 1, .timeout_ms = 100 },
        { .name = "pm",
          .type = "postmark",
          .url = "http://pm/",
          .key = "TOKEN",
          .concurrency_max = 1,
          .timeout_ms = 100,
          .look_up_proof_ms = 1800000 },
        { .name = "mg",
          .type = "mailgun",
          .url = "http://mg",
          .key = "k",
          .domain = "d",
          .concurrency_max = 1,
          .timeout_ms = 100 },
    };
    const struct look_up_config config = { .every_ms = 5, .after_ms = 1000, .rows_max = 8 };
    const struct look_up_hooks hooks = {
        .leases = leases, .may_ask = may_ask, .set = on_due, .on_turn_ended = on_turn_ended
    };
    uv_loop_init(&loop);
    cr_assert_eq(registry_new(configs, COUNT_OF(configs), &registry, NULL), OK);
    cr_assert_eq(look_ups_new(&loop, &store, &transport.transport, registry, &config, &hooks, &look_ups), OK);
}

static void finish(void)
{
    look_ups_stop(look_ups);
    look_ups_close(look_ups);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
    registry_free(registry);
}

static void answer(const char *body)
{
    fake_end_post(&transport, (struct transport_answer){
                                  .end = TRANSPORT_ANSWERED, .http_status = 200, .body = body, .body_whole = true });
}

Test(look_up, each_is_asked_about_once_and_the_database_is_told_what_was_found)
{
    start();
    while (claims == 0)
        uv_run(&loop, UV_RUN_ONCE);
    cr_assert_eq(transport.total, 2, "an unknown provider and a message without a name are left out");
    cr_assert_str_eq(transport.posts[0].request->url,
                     "http://pm/messages/outbound?count=10&offset=0&metadata_fu_id=1-11-1");
    cr_assert_eq(transport.posts[0].request->method, TRANSPORT_GET);
    cr_assert_str_eq(transport.posts[1].request->url, "http://mg/v1/analytics/logs");
    answer("{\"TotalCount\":1,\"Messages\":[{\"MessageID\":\"u-1\"}]}");
    cr_assert_eq(settles, 0, "not before all have ended");
    answer("{\"items\":[]}");
    cr_assert_eq(settles, 1);
    cr_assert(look_ups_busy(look_ups));
    cr_assert_eq(settled.count, 2);
    cr_assert(settled.answers[0].found);
    cr_assert_str_eq(settled.ids[0], "u-1");
    cr_assert_eq(settled.answers[0].proof_ms, 1800000);
    cr_assert_not(settled.answers[1].found);
    cr_assert_eq(settled.answers[1].ref.message_id, 12);
    cr_assert_eq(settled.answers[1].attempts, 2);
    cr_assert_eq(settled.answers[1].proof_ms, 0);
    settled.cb(settled.arg, OK, NULL, &(struct due_message){ .ref = { 1, 99 } }, 1);
    cr_assert_eq(due, 1);
    cr_assert_eq(turns_ended, 1);
    cr_assert_not(look_ups_busy(look_ups));
    struct look_up_stats stats = look_ups_stats(look_ups);
    cr_assert_eq(stats.asked, 2);
    cr_assert_eq(stats.found, 1);
    cr_assert_eq(stats.absent, 1);
    finish();
}

Test(look_up, an_answer_that_says_nothing_settles_nothing)
{
    start();
    while (claims == 0)
        uv_run(&loop, UV_RUN_ONCE);
    fake_end_post(&transport, (struct transport_answer){ .end = TRANSPORT_ANSWERED,
                                                         .http_status = 500,
                                                         .body = "{\"TotalCount\":0,\"Messages\":[]}",
                                                         .body_whole = true });
    fake_end_post(&transport, (struct transport_answer){ .end = TRANSPORT_IN_DOUBT });
    cr_assert_eq(settles, 0);
    cr_assert_eq(turns_ended, 1);
    finish();
}

Test(look_up, nothing_is_asked_while_the_providers_rest_or_the_database_is_away)
{
    start();
    rests = true;
    for (int i = 0; i < 5; i++)
        uv_run(&loop, UV_RUN_ONCE);
    rests = false;
    down = true;
    for (int i = 0; i < 5; i++)
        uv_run(&loop, UV_RUN_ONCE);
    cr_assert_eq(claims, 0);
    down = false;
    refuse_claim = true;
    while (claims == 0)
        uv_run(&loop, UV_RUN_ONCE);
    cr_assert_not(look_ups_busy(look_ups), "a statement that cannot be started ends the turn");
    finish();
}

Test(look_up, what_is_asked_when_it_stops_is_not_told_any_more)
{
    start();
    while (claims == 0)
        uv_run(&loop, UV_RUN_ONCE);
    look_ups_stop(look_ups);
    cr_assert_not(look_ups_busy(look_ups), "a provider that does not answer holds up nobody who stops");
    answer("{\"TotalCount\":1,\"Messages\":[{\"MessageID\":\"u-1\"}]}");
    answer("{\"items\":[{}]}");
    cr_assert_eq(settles, 0);
    cr_assert_not(look_ups_busy(look_ups));
    finish();
}
