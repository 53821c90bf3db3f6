#include "message.h"

#include "sample.h"

#define HEAD "{\"message_id\":\"m-17\",\"account_id\":1,\"due_ms\":5,\"from\":\"a@b\",\"to\":\"c@d\",\"reply_to\":null,"
#define TAIL "\"text\":\"t\",\"html\":null,\"headers\":{}}"

static void refused(const char *json, const char *error)
{
    struct message m;
    struct err e;
    cr_assert_eq(message_parse(json, strlen(json), &m, &e), E_INVALID, "%s", json);
    cr_expect_not_null(strstr(e.text, error), "%s instead of %s", e.text, error);
}

Test(message, fields_are_read)
{
    struct message m = sample(17, "b@example.org");
    cr_expect_eq(m.id, 17);
    cr_expect_eq(m.due_ms, -5);
    cr_expect_str_eq(m.subject, "Grüße");
    cr_expect_null(m.reply_to);
    message_fini(&m);
}

Test(message, a_missing_field_is_named)
{
    refused(HEAD TAIL, "subject: is missing");
    refused("{}", "message_id: is missing");
}

Test(message, a_wrong_type_is_named)
{
    refused(HEAD "\"subject\":1," TAIL, "subject: must be a string");
    refused("[]", "body: must be a JSON object");
    refused("{\"message_id\":17}", "message_id: must be");
    refused("{\"message_id\":\"m-0\"}", "message_id: must be");
    refused("{\"message_id\":\"m-17x\"}", "message_id: must be");
}

Test(message, an_unknown_field_is_named)
{
    refused(HEAD "\"subject\":\"s\",\"sujet\":\"s\"," TAIL, "sujet: is no field");
}

Test(message, a_line_break_in_a_header_is_refused)
{
    refused(HEAD "\"subject\":\"s\\r\\nBcc: x@y\"," TAIL, "subject: holds a line break");
    refused(HEAD "\"subject\":\"s\",\"text\":\"t\",\"html\":null,\"headers\":{\"X\":\"1\\n2\"}}", "headers: X holds");
    refused(HEAD "\"subject\":\"s\",\"text\":\"t\",\"html\":null,\"headers\":{\"X:\":\"1\"}}", "no header name");
}

Test(message, broken_json_names_the_place)
{
    refused("{\"message_id\":", "line 1, column");
    refused("", "no JSON");
    refused("{\"a\":1,\"a\":2}", "duplicate");
}

Test(message, order_and_spacing_of_fields_do_not_count)
{
    const char *other = "{ \"headers\":{\"X-A\":\"1\", \"X-B\":\"2\"}, \"html\":null, \"text\":\"one\\ntwo\","
                        " \"subject\":\"Grüße\", \"reply_to\":null, \"to\":\"b@example.org\","
                        " \"from\":\"Ann <a@example.com>\", \"due_ms\":-5, \"account_id\":1, \"message_id\":\"m-17\" }";
    struct message a = sample(17, "b@example.org"), b;
    struct buf written_a, written_b;
    struct err e;
    cr_assert_eq(message_parse(other, strlen(other), &b, &e), OK, "%s", e.text);
    buf_init(&written_a, 4096);
    buf_init(&written_b, 4096);
    cr_assert_eq(message_write(&a, "k", &written_a), OK);
    cr_assert_eq(message_write(&b, "k", &written_b), OK);
    cr_expect_str_eq(written_a.data, written_b.data);
    cr_expect_str_eq(written_a.data,
                     "\"message_id\":\"m-17\",\"account_id\":1,\"key\":\"k\",\"due_ms\":-5,\"from\":\"Ann "
                     "<a@example.com>\",\"to\":\"b@example.org\",\"reply_to\":null,\"subject\":\"Grüße\",\"text\":"
                     "\"one\\ntwo\",\"html\":null,\"headers\":{\"X-A\":\"1\",\"X-B\":\"2\"}");
    buf_fini(&written_a);
    buf_fini(&written_b);
    message_fini(&a);
    message_fini(&b);
}

Test(message, address_is_found_with_and_without_a_name)
{
    struct message bare = sample(1, "b@example.org"), named = sample(1, "Bob <B@Example.org>");
    cr_expect(message_goes_to(&bare, "b@example.org"));
    cr_expect(message_goes_to(&named, "b@example.org"));
    cr_expect_not(message_goes_to(&bare, "b@example.or"));
    cr_expect_not(message_goes_to(&named, "bb@example.org"));
    message_fini(&bare);
    message_fini(&named);
}

Test(message, every_character_is_written_so_that_it_reads_back)
{
    char json[2048] = HEAD "\"subject\":\"s\",\"html\":null,\"headers\":{},\"text\":\"";
    char text[256], whole[4096];
    struct message m, again;
    struct buf b;
    struct err e;
    for (int c = 1; c < 128; c++) {
        text[c - 1] = (char)c;
        snprintf(json + strlen(json), 8, "\\u%04x", c);
    }
    strcpy(text + 127, "Grüße 🎈");
    strcat(json, "Grüße 🎈\"}");
    cr_assert_eq(message_parse(json, strlen(json), &m, &e), OK, "%s", e.text);
    cr_assert_str_eq(m.text, text);
    buf_init(&b, 4096);
    cr_assert_eq(message_write(&m, NULL, &b), OK);
    snprintf(whole, sizeof whole, "{%s}", b.data);
    json_t *document = json_loads(whole, 0, NULL);
    cr_assert_not_null(document, "%s", whole);
    cr_assert(json_is_null(json_object_get(document, "key")));
    json_object_del(document, "key");
    cr_assert_eq(message_read(document, &again, &e), OK, "%s", e.text);
    cr_expect_str_eq(again.text, text);
    message_fini(&again);
    message_fini(&m);
    buf_fini(&b);
}
