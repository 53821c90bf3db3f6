#include "followupd/result/list_pull.h"

#include <criterion/criterion.h>

#include "../answer_headers.h"
#include "../fakes.h"
#include "../turn.h"

static uv_loop_t loop;
static struct fake_transport transport = { .transport.ops = &fake_transport_ops };
static struct registry *registry;
static struct list_pulls *pulls;
static size_t claims, pages, entries;
static struct {
    size_t count;
    char why[200];
    bool whole, final;
    int64_t wait_ms;
} ended;

/* One list is to be pulled, of `who`. */
static const char *who = "sg";

static enum status claim(struct store *s, const struct list_request *r, store_list_cb cb, void *arg)
{
    const struct list_row row = { who, { INT64_C(1764547200000000) }, { INT64_C(1764633600000000) } };
    (void)s;
    cr_assert_eq(r->provider_count, 2, "generic has no list");
    cr_assert_str_eq(r->providers[0], "sg");
    cr_assert_str_eq(r->types[1], "mailgun");
    cb(arg, OK, NULL, claims++ == 0 ? &row : NULL);
    return OK;
}

static enum status apply(struct store *s, const char *provider, struct wall asked, const char *text, store_number_cb cb,
                         void *arg)
{
    (void)s;
    cr_assert_str_eq(provider, who);
    cr_assert_eq(asked.us, INT64_C(1764633600000000));
    json_t *list = json_loads(text, 0, NULL);
    pages++;
    entries += json_array_size(list);
    json_decref(list);
    cb(arg, OK, NULL, 1);
    return OK;
}

static enum status end(struct store *s, const struct list_end *what, store_done_cb cb, void *arg)
{
    (void)s;
    ended.count++;
    ended.whole = what->why == NULL;
    ended.final = what->final;
    ended.wait_ms = what->wait_ms;
    snprintf(ended.why, sizeof ended.why, "%s", what->why != NULL ? what->why : "");
    cb(arg, OK, NULL);
    return OK;
}

static bool is_up(const struct store *s)
{
    (void)s;
    return true;
}

static const struct store_ops ops = {
    .claim_list_pull = claim, .apply_list_page = apply, .end_list_pull = end, .is_up = is_up
};
static struct store store = { &ops };

static struct lease_set leases(void *arg)
{
    static const struct shard_lease one = { .shard = 1, .epoch = 1 };
    (void)arg;
    return (struct lease_set){ &one, 1 };
}

/* Until the first page is asked for. */
static void start(size_t pages_max, int64_t ms_max)
{
    static const struct provider_config configs[] = {
        { .name = "plain", .type = "generic", .url = "http://a/", .concurrency_max = 1, .timeout_ms = 100 },
        { .name = "sg", .type = "sendgrid", .url = "http://sg", .key = "k", .concurrency_max = 1, .timeout_ms = 100 },
        { .name = "mg",
          .type = "mailgun",
          .url = "http://mg",
          .key = "k",
          .domain = "d",
          .concurrency_max = 1,
          .timeout_ms = 100 },
    };
    const struct list_pull_config config = { .every_ms = 5, .pages_max = pages_max, .ms_max = ms_max };
    uv_loop_init(&loop);
    cr_assert_eq(registry_new(configs, COUNT_OF(configs), &registry, NULL), OK);
    cr_assert_eq(list_pulls_open(&loop, &store, &transport.transport, registry, &config, leases, NULL, &pulls, NULL),
                 OK);
    while (transport.total == 0)
        turn_once(&loop);
}

static void finish(void)
{
    list_pulls_close(pulls);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
    registry_free(registry);
}

static void answer(int http_status, const char *body)
{
    fake_end_post(&transport,
                  (struct transport_answer){
                      .end = TRANSPORT_ANSWERED, .http_status = http_status, .body = body, .body_whole = true });
}

Test(list_pull, a_list_is_read_page_by_page_to_its_end)
{
    start(LIST_PULL_PAGES_MAX, LIST_PULL_MS_MAX);
    cr_assert_eq(transport.posts[0].request->answer_bytes_max, LIST_PULL_ANSWER_BYTES_MAX);
    answer(200, "[{\"email\":\"a@b.example\",\"created\":1764547300},{\"email\":\"c@b.example\"}]");
    cr_assert_str_eq(transport.posts[0].request->url,
                     "http://sg/v3/suppression/bounces?start_time=1764547200&limit=500&offset=2");
    answer(200, "[]");
    answer(200, "[{\"email\":\"d@b.example\"}]");
    answer(200, "[]");
    cr_assert_eq(ended.count, 0);
    answer(200, "[]");
    cr_assert_eq(ended.count, 1);
    cr_assert(ended.whole);
    cr_assert_eq(pages, 2, "an empty page is not told");
    cr_assert_eq(entries, 3);
    cr_assert_eq(claims, 2, "the next one at once");
    finish();
}

Test(list_pull, a_list_of_more_pages_than_are_read_counts_as_far_as_it_was_read_and_is_not_asked_again)
{
    start(LIST_PULL_PAGES_MAX, LIST_PULL_MS_MAX);
    while (ended.count == 0)
        answer(200, "[{\"email\":\"a@b.example\"}]");
    cr_assert_eq(transport.total, LIST_PULL_PAGES_MAX);
    cr_assert_eq(pages, LIST_PULL_PAGES_MAX);
    cr_assert_not(ended.whole);
    cr_assert(ended.final);
    cr_assert_neq(strstr(ended.why, "longer than"), NULL, "%s", ended.why);
    finish();
}

Test(list_pull, a_list_that_takes_longer_than_it_may_counts_as_far_as_it_was_read)
{
    start(LIST_PULL_PAGES_MAX, 1);
    uv_sleep(3);
    answer(200, "[{\"email\":\"a@b.example\"}]");
    cr_assert_eq(transport.total, 1);
    cr_assert_eq(pages, 1);
    cr_assert(ended.final);
    cr_assert_neq(strstr(ended.why, "too long"), NULL, "%s", ended.why);
    finish();
}

Test(list_pull, the_last_page_that_may_be_read_may_be_the_last_one)
{
    start(3, LIST_PULL_MS_MAX);
    for (int i = 0; i < 3; i++)
        answer(200, "[]");
    cr_assert(ended.whole, "%s", ended.why);
    finish();
}

static void answer_with(int http_status, const char *header, const char *value)
{
    struct answer_headers headers = { .all = { { header, value } } };
    fake_end_post(&transport, (struct transport_answer){ .end = TRANSPORT_ANSWERED,
                                                         .http_status = http_status,
                                                         .body_whole = true,
                                                         .find_header = answer_header_find,
                                                         .headers = &headers });
}

Test(list_pull, a_provider_that_is_asked_too_much_names_when_it_may_be_asked_again)
{
    static const struct {
        const char *provider;
        int http_status;
        const char *header, *value;
        int64_t wait_ms;
    } cases[] = {
        { "sg", 429, "Retry-After", "120", 120000 },
        { "sg", 503, "retry-after", "7", 7000 },
        { "sg", 429, "X-RateLimit-Reset", "99999999999", 3600000 },
        { "mg", 429, "X-RateLimit-Reset", "30", 30000 },
        { "sg", 429, NULL, NULL, 5000 },
        { "sg", 500, NULL, NULL, 0 },
        { "sg", 401, NULL, NULL, 0 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        who = cases[i].provider;
        claims = transport.total = 0;
        start(LIST_PULL_PAGES_MAX, LIST_PULL_MS_MAX);
        answer_with(cases[i].http_status, cases[i].header, cases[i].value);
        cr_expect_eq(ended.wait_ms, cases[i].wait_ms, "case %zu: %lld", i, (long long)ended.wait_ms);
        cr_expect_not(ended.whole || ended.final);
        cr_expect_eq(strstr(ended.why, "not again before") != NULL, cases[i].wait_ms > 0, "%s", ended.why);
        finish();
    }
    cr_assert_eq(ended.count, COUNT_OF(cases));
}

Test(list_pull, what_is_asked_when_it_stops_is_not_told_any_more)
{
    start(LIST_PULL_PAGES_MAX, LIST_PULL_MS_MAX);
    list_pulls_stop(pulls);
    answer(200, "[{\"email\":\"a@b.example\"}]");
    cr_assert_eq(pages + ended.count, 0);
    finish();
}
