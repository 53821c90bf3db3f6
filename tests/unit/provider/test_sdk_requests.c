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
