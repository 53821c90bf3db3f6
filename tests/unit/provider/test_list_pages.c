/* How providers are asked whom they suppress, and what a page of it says. No official SDK's capture has these requests;
 * they are as the providers' own pages describe them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/provider/provider.h"

static const struct provider_config config = { .url = "http://127.0.0.1/",
                                               .key = "key-test",
                                               .access_key = "AKID",
                                               .region = "eu-west-1",
                                               .domain = "mg.sender.example" };
static const struct wall since = { INT64_C(1767229200) * 1000000 }; /* 2026-01-01T01:00:00Z */

static void expect_path(const struct provider_type *type, const struct list_place *place, const char *path)
{
    struct provider_request r;
    struct err e = { "" };
    cr_assert_eq(type->build_list(&config, place, since, &r, &e), OK, "%s", e.text);
    cr_expect_eq(r.method, TRANSPORT_GET);
    cr_expect_str_eq(r.url + strlen("http://127.0.0.1"), path);
    cr_expect_eq(r.body_bytes, 0);
    provider_request_fini(&r);
}

static enum status read_page(const struct provider_type *type, const char *body, struct list_place *place, bool *over,
                             char ret[1024])
{
    const struct transport_answer answer = {
        .end = TRANSPORT_ANSWERED, .http_status = 200, .body = body, .body_bytes = strlen(body), .body_whole = true
    };
    struct err e = { "" };
    json_t *entries = json_array();
    enum status st = type->read_list(&answer, place, over, entries, &e);
    cr_expect_eq(st == OK, e.text[0] == '\0', "an error has words: %s", e.text);
    char *text = json_dumps(entries, JSON_COMPACT | JSON_SORT_KEYS);
    snprintf(ret, 1024, "%s", text);
    free(text);
    json_decref(entries);
    return st;
}

Test(list_pages, sendgrid_has_three_lists_each_until_an_empty_page)
{
    struct list_place place = { 0 };
    bool over = false;
    char said[1024];
    expect_path(&provider_sendgrid, &place, "/v3/suppression/bounces?start_time=1767229200&limit=500&offset=0");
    cr_expect_eq(
        read_page(&provider_sendgrid,
                  "[{\"created\":1767229300,\"email\":\"a@b.example\",\"reason\":\"550 no\",\"status\":\"5.1.1\"},"
                  "{\"created\":1767229301,\"email\":\"c@b.example\",\"reason\":null}]",
                  &place, &over, said),
        OK);
    cr_expect_str_eq(said, "[{\"address\":\"a@b.example\",\"at\":1767229300,\"kind\":\"bounced\",\"reason\":\"550 no\","
                           "\"status\":\"5.1.1\",\"type\":\"bounce\"},"
                           "{\"address\":\"c@b.example\",\"at\":1767229301,\"kind\":\"bounced\",\"type\":\"bounce\"}]");
    expect_path(&provider_sendgrid, &place, "/v3/suppression/bounces?start_time=1767229200&limit=500&offset=2");
    cr_expect_eq(read_page(&provider_sendgrid, "[]", &place, &over, said), OK);
    expect_path(&provider_sendgrid, &place, "/v3/suppression/spam_reports?start_time=1767229200&limit=500&offset=0");
    cr_expect_eq(read_page(&provider_sendgrid, "[]", &place, &over, said), OK);
    expect_path(&provider_sendgrid, &place, "/v3/suppression/unsubscribes?start_time=1767229200&limit=500&offset=0");
    cr_expect_not(over);
    cr_expect_eq(read_page(&provider_sendgrid, "[]", &place, &over, said), OK);
    cr_expect(over);
}

Test(list_pages, of_mailguns_next_page_only_the_query_is_used)
{
    struct list_place place = { 0 };
    bool over = false;
    char said[1024];
    expect_path(&provider_mailgun, &place, "/v3/mg.sender.example/bounces?limit=1000");
    cr_expect_eq(
        read_page(&provider_mailgun,
                  "{\"items\":[{\"address\":\"a@b.example\",\"code\":550,\"error\":\"no\",\"created_at\":\"Fri, 21 "
                  "Oct 2011 11:02:55 UTC\"}],\"paging\":{\"next\":\"https://evil.example/x?page=next&"
                  "address=a%40b.example&limit=1000#f\"}}",
                  &place, &over, said),
        OK);
    cr_expect_str_eq(said,
                     "[{\"address\":\"a@b.example\",\"at\":\"Fri, 21 Oct 2011 11:02:55 UTC\",\"detail\":\"no\","
                     "\"kind\":\"bounced\",\"reason\":\"bounce\",\"severity\":\"permanent\",\"smtp_code\":\"550\"}]");
    expect_path(&provider_mailgun, &place, "/v3/mg.sender.example/bounces?page=next&address=a%40b.example&limit=1000");
    static const char *const nexts[] = { "{}", "{\"next\":7}", "{\"next\":\"https://x.example/no\"}",
                                         "{\"next\":\"?a b\"}", "{\"next\":\"?\\u000d\"}" };
    for (size_t i = 0; i < COUNT_OF(nexts); i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"items\":[{\"address\":\"a@b.example\"}],\"paging\":%s}", nexts[i]);
        cr_expect_eq(read_page(&provider_mailgun, body, &place, &over, said), E_INVALID, "%s", nexts[i]);
    }
    for (int i = 0; i < 3; i++)
        cr_expect_eq(read_page(&provider_mailgun, "{\"items\":[],\"paging\":{}}", &place, &over, said), OK);
    cr_expect(over);
}

Test(list_pages, postmarks_list_comes_in_one_from_the_day_before)
{
    struct list_place place = { 0 };
    bool over = false;
    char said[1024];
    expect_path(&provider_postmark, &place, "/message-streams/outbound/suppressions/dump?fromdate=2025-12-31");
    cr_expect_eq(
        read_page(&provider_postmark,
                  "{\"Suppressions\":[{\"EmailAddress\":\"a@b.example\",\"SuppressionReason\":\"SpamComplaint\","
                  "\"CreatedAt\":\"2026-01-02T10:58:33-05:00\"},"
                  "{\"EmailAddress\":\"c@b.example\",\"SuppressionReason\":\"SomethingNew\"}]}",
                  &place, &over, said),
        OK);
    cr_expect_str_eq(said,
                     "[{\"address\":\"a@b.example\",\"at\":\"2026-01-02T10:58:33-05:00\",\"kind\":\"complained\"},"
                     "{\"address\":\"c@b.example\",\"kind\":\"bounced\"}]");
    cr_expect(over);
}

Test(list_pages, ses_is_asked_by_its_token_with_sorted_parameters)
{
    struct list_place place = { 0 };
    bool over = false;
    char said[1024];
    expect_path(&provider_ses, &place,
                "/v2/email/suppression/addresses?PageSize=100&StartDate=2026-01-01T01%3A00%3A00Z");
    cr_expect_eq(
        read_page(&provider_ses,
                  "{\"NextToken\":\"a+/=\",\"SuppressedDestinationSummaries\":[{\"EmailAddress\":\"a@b.example\","
                  "\"Reason\":\"BOUNCE\",\"LastUpdateTime\":1767229300.5}]}",
                  &place, &over, said),
        OK);
    cr_expect_not(over);
    expect_path(&provider_ses, &place,
                "/v2/email/suppression/addresses?NextToken=a%2B%2F%3D&PageSize=100&StartDate=2026-01-01T01%3A00%3A00Z");
    cr_expect_eq(read_page(&provider_ses, "{\"SuppressedDestinationSummaries\":[]}", &place, &over, said), OK);
    cr_expect(over);
}

Test(list_pages, what_is_no_page_is_refused)
{
    static const struct provider_type *const types[] = { &provider_sendgrid, &provider_mailgun, &provider_postmark,
                                                         &provider_ses };
    static const char *const bodies[] = { "",
                                          "null",
                                          "<html>",
                                          "{}",
                                          "[7]",
                                          "[{}]",
                                          "[{\"email\":7}]",
                                          "[{\"email\":\"\"}]",
                                          "[{\"email\":\"a@b.example\",\"created\":[]}]",
                                          "[{\"email\":\"a@b.example\",\"reason\":{}}]",
                                          "[{\"email\":\"a\",\"email\":\"b\"}]",
                                          "{\"items\":{}}",
                                          "{\"items\":[{\"email\":\"a@b.example\"}]}",
                                          "{\"Suppressions\":[{\"EmailAddress\":\"a@b.example\"}]}",
                                          "{\"SuppressedDestinationSummaries\":[{}]}",
                                          "{\"SuppressedDestinationSummaries\":[],\"NextToken\":7}" };
    char said[1024];
    for (size_t t = 0; t < COUNT_OF(types); t++) {
        for (size_t i = 0; i < COUNT_OF(bodies); i++) {
            struct list_place place = { 0 };
            bool over = false;
            cr_expect_eq(read_page(types[t], bodies[i], &place, &over, said), E_INVALID, "%s: %s", types[t]->name,
                         bodies[i]);
            cr_expect_not(over);
        }
    }
}

Test(list_pages, resend_and_generic_have_none)
{
    cr_expect_null(provider_resend.build_list);
    cr_expect_null(provider_generic.build_list);
}
