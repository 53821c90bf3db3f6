/* What arrives at a provider is what its own SDK would have sent. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "followupd/provider/registry.h"
#include "http_server.h"
#include "sdk_request.h"

static uv_loop_t loop;
static struct transport *transport;
static struct http_server server;

static struct outgoing message(json_t *headers)
{
    return (struct outgoing){
        .account_id = 1,
        .message_id = 1001,
        .key = "fu/1001/3",
        .fu_id = "1001",
        .from_name = "Ada Follow",
        .from_address = "ada@sender.example",
        .from = "Ada Follow <ada@sender.example>",
        .to = "bob@rcpt.example",
        .reply_to = "reply+t0k3n@in.sender.example",
        .subject = "Re: Your enquiry \u2013 na\u00efve caf\u00e9 \u2713",
        .text = "Hello Bob,\nsecond line\n.\n\u00fcn\u00ef end\n",
        .html = "<p>Hello <b>Bob</b> &amp; co \u2013 \u00fcn\u00ef</p>",
        .headers = headers,
    };
}

static json_t *headers_of_the_recordings(void)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s}", "Message-ID", "<fu-1001.3@sender.example>", "In-Reply-To",
                     "<orig-77@rcpt.example>", "References", "<orig-76@rcpt.example> <orig-77@rcpt.example>",
                     "List-Unsubscribe", "<https://u.sender.example/u/t0k3n>, <mailto:unsub+t0k3n@sender.example>",
                     "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
}

static void on_end(void *arg, const struct transport_answer *a)
{
    cr_assert_eq(a->http_status, 200, "%s", a->detail);
    *(bool *)arg = true;
}

/* Builds, posts to a server on the loopback, and reads what arrived. */
static void send_one(struct provider_config config, const struct outgoing *m, struct sdk_request *ret)
{
    static const struct server_step answer[] = { { SERVER_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" } };
    char url[64];
    struct registry *registry = NULL;
    struct provider_request r;
    struct err e = { "" };
    bool ended = false;
    uv_loop_init(&loop);
    http_server_start(&server, &loop, answer, 1);
    cr_assert_eq(transport_open(&loop, 1, &transport, NULL), OK);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    config.name = "p";
    config.url = url;
    config.concurrency_max = 1;
    config.timeout_ms = 5000;
    cr_assert_eq(registry_new(&config, 1, &registry, &e), OK, "%s", e.text);
    const struct provider *p = registry_at(registry, 0);
    cr_assert_eq(p->type->build(&p->config, m, &r, &e), OK, "%s", e.text);
    struct transport_request request = { .method = r.method,
                                         .url = p->send_url,
                                         .headers = (const char *const *)r.headers,
                                         .header_count = r.header_count,
                                         .user_password = r.user_password,
                                         .aws_sigv4 = r.aws_sigv4,
                                         .body = r.body,
                                         .body_bytes = r.body_bytes,
                                         .timeout_ms = 5000 };
    cr_assert_eq(transport_send(transport, &request, on_end, &ended), OK);
    while (!ended)
        uv_run(&loop, UV_RUN_ONCE);
    sdk_request_read(server.last, ret);
    transport_close(transport, NULL, NULL);
    http_server_stop(&server);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
    provider_request_fini(&r);
    registry_free(registry);
}

static void same_header(const struct sdk_request *ours, const struct sdk_request *sdk, const char *name)
{
    char a[512], b[512];
    sdk_request_header(ours, name, a, sizeof a);
    sdk_request_header(sdk, name, b, sizeof b);
    a[strcspn(a, ";")] = b[strcspn(b, ";")] = '\0'; /* the boundary of a form is anybody's choice */
    cr_expect_neq(b[0], '\0', "%s is not in the recording", name);
    cr_expect_str_eq(a, b, "%s", name);
}

static void same_request(const struct sdk_request *ours, const struct sdk_request *sdk)
{
    cr_expect_str_eq(ours->method, sdk->method);
    cr_expect_str_eq(ours->target, sdk->target);
    same_header(ours, sdk, "Content-Type");
    char *a = json_dumps(ours->body, JSON_SORT_KEYS | JSON_INDENT(1)),
         *b = json_dumps(sdk->body, JSON_SORT_KEYS | JSON_INDENT(1));
    cr_expect(json_equal(ours->body, sdk->body), "we sent %s\nthe SDK %s", a, b);
    free(a);
    free(b);
}

/* The recordings number the attempt in a field of its own and know the recipient's name; we do neither. */
static json_t *find(json_t *body, const char *name, int index)
{
    return json_array_get(json_object_get(body, name), (size_t)index);
}

Test(sdk_requests, sendgrid_is_sent_what_its_sdk_sends)
{
    struct sdk_request ours, sdk;
    json_t *headers = headers_of_the_recordings();
    struct outgoing m = message(headers);
    send_one((struct provider_config){ .type = "sendgrid", .key = "SG.test-key" }, &m, &ours);
    sdk_request_load("sendgrid-send", &sdk);
    json_t *person = find(sdk.body, "personalizations", 0);
    cr_assert_eq(json_object_del(json_object_get(person, "custom_args"), "fu_attempt"), 0);
    cr_assert_eq(json_object_del(find(person, "to", 0), "name"), 0);
    same_request(&ours, &sdk);
    same_header(&ours, &sdk, "Authorization");
    sdk_request_fini(&ours);
    sdk_request_fini(&sdk);
    json_decref(headers);
}

Test(sdk_requests, mailgun_is_sent_what_its_sdk_sends)
{
    struct sdk_request ours, sdk;
    json_t *headers = headers_of_the_recordings();
    struct outgoing m = message(headers);
    send_one((struct provider_config){ .type = "mailgun", .key = "key-test", .domain = "mg.sender.example" }, &m,
             &ours);
    sdk_request_load("mailgun-send", &sdk);
    cr_assert_eq(json_object_del(sdk.body, "v:fu_attempt"), 0);
    json_object_set_new(sdk.body, "to", json_string("bob@rcpt.example"));
    same_request(&ours, &sdk);
    same_header(&ours, &sdk, "Authorization");
    sdk_request_fini(&ours);
    sdk_request_fini(&sdk);
    json_decref(headers);
}

Test(sdk_requests, postmark_is_sent_what_its_sdk_sends)
{
    struct sdk_request ours, sdk;
    json_t *headers = headers_of_the_recordings();
    struct outgoing m = message(headers);
    send_one((struct provider_config){ .type = "postmark", .key = "POSTMARK-TOKEN" }, &m, &ours);
    sdk_request_load("postmark-send", &sdk);
    cr_assert_eq(json_object_del(json_object_get(sdk.body, "Metadata"), "fu_attempt"), 0);
    json_object_set_new(sdk.body, "To", json_string("bob@rcpt.example"));
    same_request(&ours, &sdk);
    same_header(&ours, &sdk, "X-Postmark-Server-Token");
    same_header(&ours, &sdk, "Accept");
    sdk_request_fini(&ours);
    sdk_request_fini(&sdk);
    json_decref(headers);
}

Test(sdk_requests, resend_is_sent_what_its_sdk_sends)
{
    struct sdk_request ours, sdk;
    json_t *headers = headers_of_the_recordings();
    struct outgoing m = message(headers);
    send_one((struct provider_config){ .type = "resend", .key = "re_test_key" }, &m, &ours);
    sdk_request_load("resend-send", &sdk);
    json_array_remove(json_object_get(sdk.body, "tags"), 1);
    same_request(&ours, &sdk);
    same_header(&ours, &sdk, "Authorization");
    same_header(&ours, &sdk, "Idempotency-Key");
    sdk_request_fini(&ours);
    sdk_request_fini(&sdk);
    json_decref(headers);
}

/* The credential but for its day, and the signature that its secret gives. */
static void is_signed(const struct sdk_request *ours, const struct sdk_request *sdk, const char *secret)
{
    char a[1024], b[1024], wanted[65];
    sdk_request_header(ours, "Authorization", a, sizeof a);
    sdk_request_header(sdk, "Authorization", b, sizeof b);
    char *scope = strstr(a, "/us-east-1/"), *sdk_scope = strstr(b, "/us-east-1/"), *signature = strstr(a, "Signature=");
    cr_assert(scope != NULL && sdk_scope != NULL && signature != NULL, "%s", a);
    cr_expect_eq(strncmp(a, b, (size_t)(scope - a) - 8), 0, "%s", a);
    cr_expect_eq(strncmp(scope, sdk_scope, strcspn(scope, ",")), 0, "%s", a);
    sdk_request_signature(ours, secret, wanted);
    cr_expect_str_eq(signature + strlen("Signature="), wanted);
}

static const struct provider_config ses = {
    .type = "ses",
    .key = "wJalrXUtnFEMI/K7MDENG:bPxRfiCYEXAMPLEKEY",
    .access_key = "AKIDEXAMPLE",
    .region = "us-east-1",
    .configuration_set = "followup",
};

static void ses_is_sent_as(const char *name, struct provider_config config)
{
    struct sdk_request ours, sdk;
    json_t *headers = headers_of_the_recordings();
    struct outgoing m = message(headers);
    send_one(config, &m, &ours);
    sdk_request_load(name, &sdk);
    json_array_remove(json_object_get(sdk.body, "EmailTags"), 1);
    same_request(&ours, &sdk);
    is_signed(&ours, &sdk, config.key);
    if (config.session_token != NULL) {
        char authorization[1024];
        same_header(&ours, &sdk, "X-Amz-Security-Token");
        sdk_request_header(&ours, "Authorization", authorization, sizeof authorization);
        cr_expect_not_null(strstr(authorization, "x-amz-security-token"), "the token is not signed: %s", authorization);
    }
    sdk_request_fini(&ours);
    sdk_request_fini(&sdk);
    json_decref(headers);
}

Test(sdk_requests, ses_is_sent_what_its_sdk_sends_and_signed)
{
    ses_is_sent_as("ses-send-simple", ses);
}

Test(sdk_requests, ses_is_sent_and_signed_with_a_session_token)
{
    struct provider_config c = ses;
    c.session_token = "FQoGZXIvYXdzEXAMPLETOKEN";
    ses_is_sent_as("ses-send-session-token", c);
}

/* --- what the recordings do not show --------------------------------------------------------------------------------- */

static struct provider_request build(const struct provider_type *type, const struct provider_config *config,
                                     const struct outgoing *m)
{
    struct provider_request r;
    struct err e = { "" };
    cr_assert_eq(type->build(config, m, &r, &e), OK, "%s", e.text);
    return r;
}

Test(sdk_requests, ses_gets_a_name_of_other_letters_as_encoded_words)
{
    json_t *headers = json_object();
    struct outgoing m = message(headers);
    m.from_name = "\u00c4da F\u00f6ll\u00f6w von und zu der langen Gasse am Marktplatz";
    m.from = "\"\u00c4da F\u00f6ll\u00f6w von und zu der langen Gasse am Marktplatz\" <ada@sender.example>";
    struct provider_request r = build(&provider_ses, &ses, &m);
    cr_expect_not_null(
        strstr(r.body,
               "\"FromEmailAddress\":\"=?UTF-8?B?w4RkYSBGw7ZsbMO2dyB2b24gdW5kIHp1IGRlciBsYW5nZW4gR2Fzc2UgYW0g?= "
               "=?UTF-8?B?TWFya3RwbGF0eg==?= <ada@sender.example>\""),
        "%s", r.body);
    provider_request_fini(&r);
    json_decref(headers);
}

Test(sdk_requests, a_form_is_never_ended_by_what_it_holds)
{
    json_t *headers = json_object();
    struct outgoing m = message(headers);
    const struct provider_config config = { .key = "k", .domain = "mg.example" };
    m.text = "followupd-1001-0\r\n--followupd-1001-1--\r\n";
    struct provider_request r = build(&provider_mailgun, &config, &m);
    cr_expect_str_eq(r.headers[0], "Content-Type: multipart/form-data; boundary=followupd-1001-2");
    cr_expect_not_null(
        strstr(r.body, "\r\n\r\nfollowupd-1001-0\r\n--followupd-1001-1--\r\n\r\n--followupd-1001-2\r\n"));
    provider_request_fini(&r);
    json_decref(headers);
}

Test(sdk_requests, postmark_is_asked_to_keep_our_message_id)
{
    json_t *headers = json_object(), *full = headers_of_the_recordings();
    struct outgoing m = message(headers);
    const struct provider_config config = { .key = "k", .keep_message_id = true };
    struct provider_request r = build(&provider_postmark, &config, &m);
    cr_expect_not_null(strstr(r.body, "\"Headers\":[{\"Name\":\"X-PM-KeepID\",\"Value\":\"true\"}],"), "%s", r.body);
    provider_request_fini(&r);
    m.headers = full;
    r = build(&provider_postmark, &config, &m);
    cr_expect_not_null(strstr(r.body, "\"},{\"Name\":\"X-PM-KeepID\",\"Value\":\"true\"}],"), "%s", r.body);
    json_t *body = json_loads(r.body, 0, NULL);
    cr_expect_eq(json_array_size(json_object_get(body, "Headers")), 6);
    json_decref(body);
    provider_request_fini(&r);
    json_decref(headers);
    json_decref(full);
}

Test(sdk_requests, without_html_name_and_reply_address_nothing_is_left_open)
{
    static const struct provider_config config = {
        .key = "k", .domain = "mg.example", .region = "us-east-1", .access_key = "AKID"
    };
    static const struct provider_type *const types[] = { &provider_sendgrid, &provider_postmark, &provider_ses,
                                                         &provider_resend };
    json_t *headers = json_object();
    struct outgoing m = message(headers);
    m.html = m.reply_to = m.from_name = NULL;
    m.from = m.from_address;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct provider_request r = build(types[i], &config, &m);
        json_t *body = json_loads(r.body, JSON_REJECT_DUPLICATES, NULL);
        cr_expect(json_is_object(body), "%s: %s", types[i]->name, r.body);
        cr_expect_null(strstr(r.body, "null"), "%s: %s", types[i]->name, r.body);
        json_decref(body);
        provider_request_fini(&r);
    }
    json_decref(headers);
}

Test(sdk_requests, what_is_not_utf8_is_refused_by_every_type)
{
    static const struct provider_config config = {
        .key = "k", .domain = "mg.example", .region = "us-east-1", .access_key = "AKID"
    };
    static const struct provider_type *const types[] = { &provider_sendgrid, &provider_mailgun, &provider_postmark,
                                                         &provider_ses, &provider_resend };
    json_t *headers = json_object();
    struct outgoing m = message(headers);
    m.text = "caf\xe9";
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct provider_request r;
        struct err e = { "" };
        cr_expect_eq(types[i]->build(&config, &m, &r, &e), E_INVALID, "%s", types[i]->name);
        cr_expect_str_eq(e.text, "a part of the message is not valid UTF-8");
    }
    json_decref(headers);
}
