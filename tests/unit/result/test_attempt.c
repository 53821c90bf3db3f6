#include "followupd/result/attempt.h"

#include <criterion/criterion.h>

#include "../fakes.h"

static struct fake_transport transport = { .transport.ops = &fake_transport_ops };
static struct provider provider;
static struct attempt attempt;
static struct kept_result *result;
static struct judgement judged;
static size_t ends;

static void begin(void)
{
    provider = (struct provider){
        .config = { .name = "a", .url = "http://127.0.0.1:1/send", .timeout_ms = 500, .concurrency_max = 1 },
        .type = &provider_generic,
    };
}

static void on_end(struct attempt *a, const struct judgement *j, struct kept_result *k)
{
    cr_assert_eq(a, &attempt);
    judged = *j;
    result = k;
    ends++;
}

static enum status start(const struct claim_row *row)
{
    enum status st = attempt_prepare(&attempt, row, &provider, "http://f.example.test", on_end, &result);
    return st == OK ? attempt_post(&attempt, &transport.transport) : st;
}

static json_t *posted(void)
{
    const struct transport_request *r = transport.posts[0].request;
    json_t *body = json_loadb(r->body, r->body_bytes, 0, NULL);
    cr_assert_not_null(body);
    return body;
}

Test(attempt, a_claimed_row_is_posted_as_its_letter_with_its_key, .init = begin)
{
    struct claim_row row = fake_row((struct message_ref){ 7, 21 });
    row.attempts = 2;
    row.unsubscribe_token = "tok";
    cr_assert_eq(start(&row), OK);
    json_t *body = posted();
    cr_assert_str_eq(json_string_value(json_object_get(body, "subject")), "Hello Bob");
    cr_assert_str_eq(json_string_value(json_object_get(body, "message_id")), "m-21");
    const json_t *headers = json_object_get(body, "headers");
    cr_assert_str_eq(json_string_value(json_object_get(headers, "List-Unsubscribe")), "<http://f.example.test/u/tok>");
    cr_assert_str_eq(json_string_value(json_object_get(headers, "Message-ID")), "<fu-1-1@example.test>");
    json_decref(body);
    bool has_key = false;
    for (size_t i = 0; i < transport.posts[0].request->header_count; i++)
        has_key = has_key || strcmp(transport.posts[0].request->headers[i], "Idempotency-Key: fu/7/21/2") == 0;
    cr_assert(has_key);
    fake_answer_post(&transport, 200);
    cr_assert_eq(ends, 1);
    cr_assert_eq(result->result.outcome, OUTCOME_SENT);
    cr_assert_eq(result->result.epoch, 5);
    cr_assert_eq(result->result.attempts, 2);
    cr_assert_eq(result->result.http_status, 200);
    cr_assert_str_eq(result->result.provider_message_id, "p-1");
    cr_assert_str_eq(result->result.subject, "Hello Bob");
    cr_assert_not_null(strstr(result->result.text, "Hi Bob, bye."));
    cr_assert_null(result->result.html);
    cr_assert_leq(result->result.started_real.us, result->result.ended_real.us);
    kept_result_free(result);
}

Test(attempt, a_letter_that_cannot_be_made_is_rejected_with_its_reason_and_never_posted, .init = begin)
{
    struct claim_row row = fake_row((struct message_ref){ 7, 21 });
    row.fields = "{}";
    cr_assert_eq(start(&row), E_INVALID);
    cr_assert_eq(transport.total, 0);
    cr_assert_eq(ends, 0);
    cr_assert_eq(result->result.outcome, OUTCOME_REJECTED);
    cr_assert_not_null(strstr(result->result.detail, "first_name"));
    kept_result_free(result);
}

Test(attempt, a_line_break_in_an_address_is_rejected, .init = begin)
{
    struct claim_row row = fake_row((struct message_ref){ 7, 21 });
    row.recipient = "bob@example.test\r\nBcc: eve@example.test";
    cr_assert_eq(start(&row), E_INVALID);
    cr_assert_eq(transport.total, 0);
    kept_result_free(result);
}

Test(attempt, a_transport_without_room_leaves_no_result, .init = begin)
{
    struct claim_row row = fake_row((struct message_ref){ 7, 21 });
    transport.refuse = E_LIMIT;
    cr_assert_eq(start(&row), E_BUSY);
    cr_assert_null(result);
}

Test(attempt, a_refusal_keeps_no_body_and_names_the_reason, .init = begin)
{
    struct claim_row row = fake_row((struct message_ref){ 7, 21 });
    cr_assert_eq(start(&row), OK);
    fake_end_post(&transport, (struct transport_answer){ .end = TRANSPORT_ANSWERED,
                                                         .http_status = 422,
                                                         .body = "{\"error\":\"no such mailbox\"}",
                                                         .begun_us = 1 });
    cr_assert_eq(result->result.outcome, OUTCOME_REJECTED);
    cr_assert_str_eq(result->result.detail, "no such mailbox");
    cr_assert_null(result->result.subject);
    cr_assert_null(result->result.provider_message_id);
    kept_result_free(result);
}

Test(attempt, a_key_that_came_before_with_another_body_proves_that_our_earlier_post_arrived, .init = begin)
{
    static const struct transport_answer reused = { .end = TRANSPORT_ANSWERED,
                                                    .http_status = 409,
                                                    .body = "{\"error\":\"key: was used with another body\"}",
                                                    .begun_us = 1 };
    struct claim_row row = fake_row((struct message_ref){ 7, 21 });
    row.posts = 2;
    cr_assert_eq(start(&row), OK);
    fake_end_post(&transport, reused);
    cr_assert_eq(result->result.outcome, OUTCOME_SENT);
    cr_assert_eq(judged.outcome, OUTCOME_SENT);
    cr_assert_null(result->result.text, "this letter is not what arrived");
    kept_result_free(result);
    row.posts = 1;
    cr_assert_eq(start(&row), OK);
    fake_end_post(&transport, reused);
    cr_assert_eq(result->result.outcome, OUTCOME_REJECTED, "nobody but us should have our key");
    kept_result_free(result);
}

Test(attempt, a_key_that_is_in_use_leaves_the_doubt, .init = begin)
{
    struct claim_row row = fake_row((struct message_ref){ 7, 21 });
    row.posts = 2;
    cr_assert_eq(start(&row), OK);
    fake_end_post(&transport, (struct transport_answer){ .end = TRANSPORT_ANSWERED,
                                                         .http_status = 409,
                                                         .body = "{\"error\":\"key in use\"}",
                                                         .begun_us = 1 });
    cr_assert_eq(result->result.outcome, OUTCOME_IN_DOUBT);
    kept_result_free(result);
}

Test(attempt, the_same_row_gives_the_same_bytes, .init = begin)
{
    struct claim_row row = fake_row((struct message_ref){ 7, 21 });
    row.fields = "{\"z\":1,\"first_name\":\"Bob\",\"b\":2}";
    cr_assert_eq(start(&row), OK);
    char *first = strdup(transport.posts[0].request->body);
    fake_answer_post(&transport, 500);
    cr_assert_eq(result->result.outcome, OUTCOME_IN_DOUBT);
    kept_result_free(result);
    row.posts = 2;
    cr_assert_eq(start(&row), OK);
    cr_assert_str_eq(transport.posts[0].request->body, first);
    fake_answer_post(&transport, 200);
    kept_result_free(result);
    free(first);
}

Test(attempt, an_alert_is_made_of_its_payload_and_a_webhook_is_no_mail, .init = begin)
{
    struct claim_row row = fake_row((struct message_ref){ 7, 21 });
    row.kind = "alert";
    row.subject = row.body_text = row.fields = NULL;
    row.payload = "{\"subject\":\"Hot lead\",\"text\":\"Call Bob\"}";
    cr_assert_eq(start(&row), OK);
    json_t *body = posted();
    cr_assert_str_eq(json_string_value(json_object_get(body, "subject")), "Hot lead");
    json_decref(body);
    fake_answer_post(&transport, 200);
    kept_result_free(result);
    row.kind = "webhook";
    cr_assert_eq(start(&row), E_INVALID);
    kept_result_free(result);
}
