#include <criterion/criterion.h>
#include <string.h>

#include "followupd/provider/provider.h"

static const struct provider_config config = {
    .name = "sandbox",
    .type = "generic",
    .url = "http://127.0.0.1:1/send",
    .key = "s3cret",
    .concurrency_max = 1,
    .timeout_ms = 1000,
};

static struct outgoing message(void)
{
    return (struct outgoing){
        .account_id = 7,
        .message_id = INT64_C(9007199254740993),
        .due = { INT64_C(1764547200123456) },
        .key = "fu/7/9007199254740993/2",
        .from = "Ann <ann@example.test>",
        .to = "bob@example.test",
        .subject = "Gr\xc3\xbc\xc3\x9f \"Gott\"",
        .text = "line\nline",
    };
}

Test(generic, the_body_is_the_documented_json)
{
    struct outgoing m = message();
    struct provider_request r;
    m.headers = json_pack("{s:s}", "Message-ID", "<fu-7-1@example.test>");
    cr_assert_eq(provider_generic.build(&config, &m, &r, NULL), OK);
    cr_assert_eq(r.body_bytes, strlen(r.body));
    json_t *got = json_loads(r.body, JSON_REJECT_DUPLICATES, NULL);
    json_t *wanted =
        json_pack("{s:s,s:I,s:I,s:s,s:s,s:n,s:s,s:s,s:n,s:{s:s}}", "message_id", "m-9007199254740993", "account_id",
                  (json_int_t)7, "due_ms", (json_int_t)INT64_C(1764547200123), "from", "Ann <ann@example.test>", "to",
                  "bob@example.test", "reply_to", "subject", "Gr\xc3\xbc\xc3\x9f \"Gott\"", "text", "line\nline",
                  "html", "headers", "Message-ID", "<fu-7-1@example.test>");
    cr_assert(json_equal(got, wanted), "%s", r.body);
    json_decref(got);
    json_decref(wanted);
    json_decref((json_t *)m.headers);
    provider_request_fini(&r);
}

Test(generic, the_same_message_gives_the_same_bytes)
{
    struct outgoing m = message();
    struct provider_request a, b;
    m.html = "<p>hi</p>";
    m.reply_to = "r-7@example.test";
    cr_assert_eq(provider_generic.build(&config, &m, &a, NULL), OK);
    cr_assert_eq(provider_generic.build(&config, &m, &b, NULL), OK);
    cr_assert_str_eq(a.body, b.body);
    cr_assert_not_null(strstr(a.body, "\"reply_to\":\"r-7@example.test\""));
    cr_assert_not_null(strstr(a.body, "\"html\":\"<p>hi</p>\""));
    provider_request_fini(&a);
    provider_request_fini(&b);
}

static bool has_header(const struct provider_request *r, const char *line)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcmp(r->headers[i], line) == 0)
            return true;
    }
    return false;
}

Test(generic, the_headers_carry_type_key_and_bearer)
{
    struct outgoing m = message();
    struct provider_request r;
    cr_assert_eq(provider_generic.build(&config, &m, &r, NULL), OK);
    cr_assert(has_header(&r, "Content-Type: application/json"));
    cr_assert(has_header(&r, "Idempotency-Key: fu/7/9007199254740993/2"));
    cr_assert(has_header(&r, "Authorization: Bearer s3cret"));
    provider_request_fini(&r);
    struct provider_config open = config;
    open.key = NULL;
    cr_assert_eq(provider_generic.build(&open, &m, &r, NULL), OK);
    cr_assert_eq(r.header_count, 2);
    provider_request_fini(&r);
}

Test(generic, what_is_not_utf8_is_refused_before_anything_leaves)
{
    struct outgoing m = message();
    struct provider_request r;
    struct err e;
    m.text = "caf\xe9";
    cr_assert_eq(provider_generic.build(&config, &m, &r, &e), E_INVALID);
    cr_assert_str_eq(e.text, "a part of the message is not valid UTF-8");
}

/* Bytes of every kind, many times: what is written by hand is what the library would have written. */
Test(generic, the_texts_are_written_as_jansson_writes_them)
{
    uint32_t state = 1;
    for (int round = 0; round < 3000; round++) {
        char text[40];
        size_t bytes = 0;
        while (bytes < sizeof text - 5) {
            static const char *const pieces[] = { "a",
                                                  "\"",
                                                  "\\",
                                                  "/",
                                                  "\x7f",
                                                  "\n",
                                                  "\x01",
                                                  "\x1f",
                                                  "\xc3\xbc",
                                                  "\xe2\x82\xac",
                                                  "\xf0\x9f\x98\x80",
                                                  "\t",
                                                  "\r",
                                                  "\f",
                                                  "\b",
                                                  "\xe9",
                                                  "\xed\xa0\x80" };
            state = state * 1664525 + 1013904223;
            size_t i = (state >> 16) % (round % 2 == 0 ? 15 : sizeof pieces / sizeof pieces[0]);
            memcpy(text + bytes, pieces[i], strlen(pieces[i]));
            bytes += strlen(pieces[i]);
        }
        text[bytes] = '\0';
        struct outgoing m = message();
        struct provider_request r;
        m.text = text;
        json_t *wanted = json_string(text);
        enum status st = provider_generic.build(&config, &m, &r, NULL);
        cr_assert_eq(st == OK, wanted != NULL, "round %d", round);
        if (st != OK)
            continue;
        char *dumped = json_dumps(wanted, JSON_COMPACT | JSON_ENCODE_ANY), *found = strstr(r.body, "\"text\":");
        cr_assert(strncmp(found + 7, dumped, strlen(dumped)) == 0, "%s not in %s", dumped, r.body);
        free(dumped);
        json_decref(wanted);
        provider_request_fini(&r);
    }
}
