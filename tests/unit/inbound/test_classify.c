#include "followupd/inbound/classify.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *replied(const char *text)
{
    json_t *events = json_pack("[{s:s, s:s, s:s, s:s*}]", "kind", "replied", "from", "bob@rcpt.example", "subject",
                               "Re: Hi", "text", text);
    cr_assert_not_null(events);
    return events;
}

static enum status answered(json_t *events, int http_status, const char *answer, struct err *e)
{
    *e = (struct err){ "" };
    return classify_answer(events, http_status, answer, strlen(answer), e);
}

Test(classify, the_question_holds_what_was_written_and_no_address)
{
    json_t *events = replied("Grüße \"x\"\n");
    char *question = NULL;
    cr_assert_eq(classify_question(events, &question), OK);
    cr_expect_str_eq(question, "{\"subject\":\"Re: Hi\",\"text\":\"Grüße \\\"x\\\"\\n\"}");
    free(question);
    json_object_del(json_array_get(events, 0), "subject");
    cr_assert_eq(classify_question(events, &question), OK);
    cr_expect_str_eq(question, "{\"subject\":null,\"text\":\"Grüße \\\"x\\\"\\n\"}");
    free(question);
    json_decref(events);
}

Test(classify, without_a_text_there_is_nothing_to_ask)
{
    char *question = NULL;
    json_t *events = replied(NULL), *report = json_pack("[{s:s, s:s}]", "kind", "bounced", "text", "x"),
           *none = json_array();
    cr_expect_eq(classify_question(events, &question), E_NOT_FOUND);
    cr_expect_eq(classify_question(report, &question), E_NOT_FOUND);
    cr_expect_eq(classify_question(none, &question), E_NOT_FOUND);
    cr_expect_null(question);
    json_decref(events);
    json_decref(report);
    json_decref(none);
}

Test(classify, an_outcome_is_handed_over_with_the_reply)
{
    static const char *const outcomes[] = { "hot_lead", "deactivate:Retired" };
    for (size_t i = 0; i < 2; i++) {
        json_t *events = replied("x");
        char answer[100];
        struct err e;
        snprintf(answer, sizeof answer, "{\"outcome\":\"%s\",\"score\":0.9}", outcomes[i]);
        cr_assert_eq(answered(events, 200, answer, &e), OK, "%s", e.text);
        cr_expect_str_eq(json_string_value(json_object_get(json_array_get(events, 0), "classified")), outcomes[i]);
        json_decref(events);
    }
}

Test(classify, anything_else_leaves_the_reply_to_the_rules)
{
    static const struct {
        int http_status;
        enum status st;
        const char *answer, *why;
    } bad[] = {
        { 500, E_INVALID, "{\"outcome\":\"stop\"}", "classifier: HTTP 500" },
        { 200, E_INVALID, "", "classifier: empty" },
        { 200, E_INVALID, "[]", "classifier: no JSON object" },
        { 200, E_INVALID, "{\"outcome\":1}", "classifier: outcome is no string" },
        { 200, E_NOT_FOUND, "{\"outcome\":null}", "classifier: no outcome" },
        { 200, E_NOT_FOUND, "{}", "classifier: no outcome" },
        { 200, E_INVALID, "{\"outcome\":\"\"}", "classifier: outcome is no word of 1 to 64 letters" },
        { 200, E_INVALID, "{\"outcome\":\"a b\"}", "classifier: outcome is no word of 1 to 64 letters" },
        { 200, E_INVALID, "{\"outcome\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
          "classifier: outcome is no word of 1 to 64 letters" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        json_t *events = replied("x"), *before = json_deep_copy(events);
        struct err e;
        cr_expect_eq(answered(events, bad[i].http_status, bad[i].answer, &e), bad[i].st, "%s", bad[i].answer);
        cr_expect_str_eq(e.text, bad[i].why);
        cr_expect(json_equal(events, before));
        json_decref(events);
        json_decref(before);
    }
}
