/* How providers are asked about a message in doubt, and what their answers say. */
#include <criterion/criterion.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/provider/provider.h"
#include "sdk_request.h"

static const struct provider_config config = { .url = "http://127.0.0.1/",
                                               .key = "key-test",
                                               .domain = "mg.sender.example" };
static const struct doubt doubt = {
    .fu_id = "1001",
    .rfc_message_id = "<fu-1001.3@sender.example>",
    .first_post = { INT64_C(1767229200) * 1000000 }, /* Thu, 01 Jan 2026 01:00:00 GMT */
    .now = { INT64_C(1767308400) * 1000000 },        /* Thu, 01 Jan 2026 23:00:00 GMT */
};

static struct provider_request build(const struct provider_type *type)
{
    struct provider_request r;
    struct err e = { "" };
    cr_assert_eq(type->build_look_up(&config, &doubt, &r, &e), OK, "%s", e.text);
    return r;
}

Test(look_ups, postmark_is_searched_as_its_sdk_does)
{
    struct sdk_request sdk;
    struct provider_request r = build(&provider_postmark);
    sdk_request_load("postmark-search-metadata", &sdk);
    cr_expect_eq(r.method, TRANSPORT_GET);
    cr_expect_str_eq(sdk.method, "GET");
    cr_expect_str_eq(r.url + strlen("http://127.0.0.1"), sdk.target);
    cr_expect_eq(r.body_bytes, 0);
    provider_request_fini(&r);
    sdk_request_fini(&sdk);
}

/* Its SDK's messageStream; a search that named none might look into the default stream alone. */
Test(look_ups, postmark_is_searched_in_the_stream_that_it_was_sent_by)
{
    struct provider_config of_stream = config;
    struct provider_request r;
    struct err e = { "" };
    of_stream.message_stream = "broadcast";
    cr_assert_eq(provider_postmark.build_look_up(&of_stream, &doubt, &r, &e), OK, "%s", e.text);
    cr_expect_str_eq(
        r.url, "http://127.0.0.1/messages/outbound?count=10&offset=0&metadata_fu_id=1001&messageStream=broadcast");
    provider_request_fini(&r);
}

Test(look_ups, mailguns_log_is_asked_as_its_sdk_does)
{
    struct sdk_request sdk;
    struct provider_request r = build(&provider_mailgun);
    sdk_request_load("mailgun-logs-lookup", &sdk);
    cr_expect_eq(r.method, TRANSPORT_POST);
    cr_expect_str_eq(sdk.method, "POST");
    cr_expect_str_eq(r.url + strlen("http://127.0.0.1"), sdk.target);
    cr_expect_str_eq(r.user_password, "api:key-test");
    cr_expect_str_eq(r.headers[0], "Content-Type: application/json");
    json_t *ours = json_loads(r.body, JSON_REJECT_DUPLICATES, NULL);
    json_t *value =
        json_object_get(json_array_get(json_object_get(json_object_get(sdk.body, "filter"), "AND"), 0), "values");
    json_object_set_new(json_array_get(value, 0), "label", json_string("fu-1001.3@sender.example")); /* free text */
    cr_expect(json_equal(ours, sdk.body), "%s\n%s", r.body, sdk.raw);
    json_decref(ours);
    provider_request_fini(&r);
    sdk_request_fini(&sdk);
}

Test(look_ups, a_message_without_an_id_cannot_be_asked_about)
{
    struct doubt nameless = doubt;
    struct provider_request r;
    struct err e = { "" };
    nameless.rfc_message_id = NULL;
    cr_expect_eq(provider_mailgun.build_look_up(&config, &nameless, &r, &e), E_INVALID);
    cr_expect_str_eq(e.text, "a message without a Message-ID cannot be looked up");
}

Test(look_ups, only_a_whole_answer_says_something)
{
    static const struct {
        const struct provider_type *type;
        int status;
        const char *body;
        enum look_up_answer said;
        const char *id;
    } rows[] = {
        { &provider_postmark, 200, "{\"TotalCount\":1,\"Messages\":[{\"MessageID\":\"u-1\"}]}", LOOK_UP_FOUND, "u-1" },
        { &provider_postmark, 200, "{\"TotalCount\":0,\"Messages\":[]}", LOOK_UP_ABSENT, "" },
        { &provider_postmark, 200, "{\"TotalCount\":3,\"Messages\":[]}", LOOK_UP_UNKNOWN, "" },
        { &provider_postmark, 200, "{\"Messages\":[]}", LOOK_UP_UNKNOWN, "" },
        { &provider_postmark, 200, "{\"TotalCount\":0}", LOOK_UP_UNKNOWN, "" },
        { &provider_postmark, 500, "{\"TotalCount\":0,\"Messages\":[]}", LOOK_UP_UNKNOWN, "" },
        { &provider_postmark, 200, "{\"TotalCount\":1,\"Mess", LOOK_UP_UNKNOWN, "" },
        { &provider_mailgun, 200, "{\"items\":[{\"event\":\"accepted\"}]}", LOOK_UP_FOUND, "" },
        { &provider_mailgun, 200, "{\"items\":[{\"event\":\"failed\"}]}", LOOK_UP_FOUND, "" },
        { &provider_mailgun, 200, "{\"items\":[],\"pagination\":{\"total\":0}}", LOOK_UP_ABSENT, "" },
        { &provider_mailgun, 200, "{}", LOOK_UP_UNKNOWN, "" },
        { &provider_mailgun, 429, "{\"items\":[]}", LOOK_UP_UNKNOWN, "" },
        { &provider_mailgun, 401, "Forbidden", LOOK_UP_UNKNOWN, "" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char id[PROVIDER_ID_BYTES] = "";
        struct transport_answer a = { .end = TRANSPORT_ANSWERED,
                                      .http_status = rows[i].status,
                                      .body = rows[i].body,
                                      .body_bytes = strlen(rows[i].body),
                                      .body_whole = true };
        cr_expect_eq(rows[i].type->read_look_up(&a, id), rows[i].said, "%s %s", rows[i].type->name, rows[i].body);
        cr_expect_str_eq(id, rows[i].id);
    }
}
