/* What the vectors do not show of a webhook's verification: settings, limits, rotation, what is looked at before a fetch. */
#include <criterion/criterion.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/secret/signature.h"
#include "hook.h"

#define NOW   1771803675
#define TOPIC "arn:aws:sns:us-east-1:123456789012:followup-events"

static enum webhook_verdict verdict_at(const struct webhook_source *s, const json_t *headers, const char *body,
                                       int64_t now_s, struct webhook_verified *ret)
{
    struct webhook_request r = hook_request(headers, body, strlen(body));
    return webhook_verify(s, &r, (struct wall){ now_s * 1000000 + 999999 }, NULL, ret);
}

/* --- Svix ---------------------------------------------------------------------------------------------------------- */

static json_t *svix_headers(const char *secret, const char *prefix, const char *signature_more)
{
    const char id[] = "msg_1", timestamp[] = "1771803675", body[] = "{}";
    struct piece pieces[] = { { id, 5 }, { ".", 1 }, { timestamp, 10 }, { ".", 1 }, { body, 2 } };
    uint8_t hmac[SIGNATURE_HMAC_BYTES];
    char signature[400], names[3][40];
    signature_hmac_sha256(secret, strlen(secret), pieces, 5, hmac);
    gchar *text = g_base64_encode(hmac, sizeof hmac);
    snprintf(signature, sizeof signature, "%sv1,%s", signature_more, text);
    g_free(text);
    snprintf(names[0], sizeof names[0], "%s-Id", prefix);
    snprintf(names[1], sizeof names[1], "%s-Timestamp", prefix);
    snprintf(names[2], sizeof names[2], "%s-Signature", prefix);
    return json_pack("{s:s, s:s, s:s}", names[0], id, names[1], timestamp, names[2], signature);
}

static struct webhook_source *svix_source(void)
{
    struct webhook_settings settings = { .type = "resend", .secrets = { "whsec_bmV3", "b2xk" } }; /* "new", "old" */
    return hook_source(&settings);
}

static enum webhook_verdict svix(const char *secret, const char *prefix, const char *more, int64_t now_s)
{
    struct webhook_source *s = svix_source();
    json_t *headers = svix_headers(secret, prefix, more);
    struct webhook_verified v;
    enum webhook_verdict verdict = verdict_at(s, headers, "{}", now_s, &v);
    cr_expect_eq(v.why == NULL, verdict == WEBHOOK_AUTHENTIC);
    webhook_verified_fini(&v);
    json_decref(headers);
    webhook_source_free(s);
    return verdict;
}

Test(webhook_svix, either_secret_is_good_during_rotation_and_no_third)
{
    cr_expect_eq(svix("new", "svix", "", NOW), WEBHOOK_AUTHENTIC);
    cr_expect_eq(svix("old", "webhook", "", NOW), WEBHOOK_AUTHENTIC);
    cr_expect_eq(svix("else", "svix", "", NOW), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(svix("", "svix", "", NOW), WEBHOOK_UNAUTHENTIC);
}

Test(webhook_svix, three_hundred_seconds_either_way_are_taken_and_one_more_is_not)
{
    cr_expect_eq(svix("new", "svix", "", NOW + 300), WEBHOOK_AUTHENTIC);
    cr_expect_eq(svix("new", "svix", "", NOW + 301), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(svix("new", "svix", "", NOW - 300), WEBHOOK_AUTHENTIC);
    cr_expect_eq(svix("new", "svix", "", NOW - 301), WEBHOOK_UNAUTHENTIC);
}

Test(webhook_svix, other_versions_and_broken_signatures_are_passed_over)
{
    cr_expect_eq(svix("new", "svix", "v1a,AAAA v1, v1,@@ v2,AAAA  garbage ", NOW), WEBHOOK_AUTHENTIC);
}

Test(webhook_svix, a_header_that_is_missing_is_unauthentic)
{
    static const char *const names[] = { "svix-Id", "svix-Timestamp", "svix-Signature" };
    struct webhook_source *s = svix_source();
    for (size_t i = 0; i < 3; i++) {
        json_t *headers = svix_headers("new", "svix", "");
        json_object_set_new(headers, i == 0 ? "webhook-timestamp" : "webhook-id", json_string("1771803675"));
        json_object_del(headers, names[i]);
        struct webhook_verified v;
        cr_expect_eq(verdict_at(s, headers, "{}", NOW, &v), WEBHOOK_UNAUTHENTIC, "without %s", names[i]);
        webhook_verified_fini(&v);
        json_decref(headers);
    }
    webhook_source_free(s);
}

/* --- limits, credentials, Mailgun's three fields ------------------------------------------------------------------- */

Test(webhook, a_body_over_its_limit_is_too_large_before_anything_else)
{
    struct webhook_settings settings = { .type = "ses", .topic_arn = TOPIC };
    struct webhook_source *s = hook_source(&settings);
    char *body = calloc(1, WEBHOOK_BODY_BYTES_MAX + 2);
    memset(body, '[', WEBHOOK_BODY_BYTES_MAX + 1);
    struct webhook_verified v;
    cr_expect_eq(verdict_at(s, NULL, body, NOW, &v), WEBHOOK_TOO_LARGE);
    body[WEBHOOK_BODY_BYTES_MAX] = '\0';
    cr_expect_eq(verdict_at(s, NULL, body, NOW, &v), WEBHOOK_MALFORMED);
    webhook_source_free(s);
    settings.body_bytes_max = 10;
    s = hook_source(&settings);
    cr_expect_eq(verdict_at(s, NULL, "{         }", NOW, &v), WEBHOOK_TOO_LARGE);
    webhook_source_free(s);
    free(body);
}

static enum webhook_verdict postmark(const char *authorization)
{
    struct webhook_settings settings = { .type = "postmark", .secrets = { "user:one", "user:two" } };
    struct webhook_source *s = hook_source(&settings);
    json_t *headers = json_pack("{s:s}", "Authorization", authorization);
    struct webhook_verified v;
    enum webhook_verdict verdict = verdict_at(s, headers, "{}", NOW, &v);
    json_decref(headers);
    webhook_source_free(s);
    return verdict;
}

Test(webhook_postmark, both_credentials_are_good_during_rotation_and_nothing_near_them)
{
    cr_expect_eq(postmark("Basic dXNlcjpvbmU="), WEBHOOK_AUTHENTIC);
    cr_expect_eq(postmark("basic  dXNlcjp0d28="), WEBHOOK_AUTHENTIC);
    cr_expect_eq(postmark("Basic dXNlcjpvbg=="), WEBHOOK_UNAUTHENTIC); /* user:on */
    cr_expect_eq(postmark("Basic dXNlcjpvbmVz"), WEBHOOK_UNAUTHENTIC); /* user:ones */
    cr_expect_eq(postmark("Basic "), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(postmark("Basic dXNlcjpvbmU"), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(postmark("Bearer dXNlcjpvbmU="), WEBHOOK_UNAUTHENTIC);
}

static enum webhook_verdict mailgun(const char *content_type, const char *body)
{
    struct webhook_settings settings = { .type = "mailgun", .secrets = { "key" } };
    struct webhook_source *s = hook_source(&settings);
    json_t *headers = json_pack("{s:s*}", "Content-Type", content_type);
    struct webhook_verified v;
    enum webhook_verdict verdict = verdict_at(s, headers, body, NOW, &v);
    cr_expect(verdict == WEBHOOK_AUTHENTIC || v.token[0] == '\0', "a token of nobody's");
    json_decref(headers);
    webhook_source_free(s);
    return verdict;
}

/* printf '1771803675abc' | openssl dgst -sha256 -hmac key; '1771803975abc', '1771803976abc', '1771771275abc', '1771771274abc' */
#define SIGNED(timestamp, signature)                                                                                   \
    "{\"signature\":{\"timestamp\":\"" timestamp "\",\"token\":\"abc\",\"signature\":\"" signature "\"}}"

Test(webhook_mailgun, nine_hours_back_and_five_minutes_ahead_are_taken_and_one_second_more_is_not)
{
    cr_expect_eq(mailgun("application/json",
                         SIGNED("1771803675", "51b0deb178430c2c22c02df5e83854bcd1fe278904370de9c2870f4a43e20618")),
                 WEBHOOK_AUTHENTIC);
    cr_expect_eq(mailgun("application/json; charset=utf-8",
                         SIGNED("1771803975", "980ae9c43cb806b604a9d67c763d83274cfa44e4bed9532789a7d67787440b5d")),
                 WEBHOOK_AUTHENTIC);
    cr_expect_eq(mailgun("application/json",
                         SIGNED("1771803976", "98ff356a27129610dee60d986a3c3f856c1ff5649186d67849324eb19dfd0aaa")),
                 WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(mailgun("application/json",
                         SIGNED("1771771275", "ba04cd078c97cf127eeb5c14a6691f17347093bc22b3bb518898c15fa463d1f0")),
                 WEBHOOK_AUTHENTIC);
    cr_expect_eq(mailgun("application/json",
                         SIGNED("1771771274", "375a8df39a00c622d65d382ae5f37174958f3539fe0a69f625af8d73ecb101d8")),
                 WEBHOOK_UNAUTHENTIC);
}

Test(webhook_mailgun, fields_that_are_missing_or_not_of_their_form_are_unauthentic)
{
    cr_expect_eq(mailgun("application/json", "{}"), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(mailgun("application/json", "{\"signature\":{\"timestamp\":\"1771803675\",\"token\":\"abc\"}}"),
                 WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(mailgun("application/json",
                         "{\"signature\":{\"timestamp\":\"1771803675\",\"token\":\"abc\",\"signature\":\"ab\"}}"),
                 WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(mailgun("application/x-www-form-urlencoded", "timestamp=1771803675&token=abc"), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(mailgun("application/x-www-form-urlencoded",
                         "timestamp=1771803675&token=abc&signature="
                         "51b0deb178430c2c22c02df5e83854bcd1fe278904370de9c2870f4a43e20618"),
                 WEBHOOK_AUTHENTIC);
}

Test(webhook_mailgun, what_cannot_be_read_is_malformed)
{
    cr_expect_eq(mailgun("application/json", "{"), WEBHOOK_MALFORMED);
    cr_expect_eq(mailgun("application/json", "{\"signature\":[]}"), WEBHOOK_MALFORMED);
    cr_expect_eq(mailgun("application/json", "{\"signature\":{\"token\":1}}"), WEBHOOK_MALFORMED);
    cr_expect_eq(mailgun(NULL, "timestamp=1"), WEBHOOK_MALFORMED);
    cr_expect_eq(mailgun("application/x-www-form-urlencoded", "a=%zz"), WEBHOOK_MALFORMED);
}

/* --- SNS: what is looked at before anybody fetches ------------------------------------------------------------------ */

#define GOOD_URL "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem"

/* NULL: the member is absent. */
static enum webhook_verdict sns(const char *key, const char *value)
{
    struct webhook_settings settings = { .type = "ses", .topic_arn = "arn:aws:sns:eu-west-1:1:other," TOPIC };
    struct webhook_source *s = hook_source(&settings);
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Type", "Notification", "MessageId", "m",
                             "TopicArn", TOPIC, "Message", "{}", "Timestamp", "2026-02-22T23:41:12.345Z",
                             "SignatureVersion", "2", "Signature", "AAAA", "SigningCertURL", GOOD_URL);
    if (value != NULL)
        json_object_set_new(body, key, json_string(value));
    else
        json_object_del(body, key);
    char *text = json_dumps(body, 0);
    struct webhook_verified v;
    enum webhook_verdict verdict = verdict_at(s, NULL, text, NOW, &v);
    if (verdict == WEBHOOK_WANTS_CERTIFICATE)
        cr_expect_str_eq(v.certificate_url, strcmp(key, "SigningCertURL") == 0 ? value : GOOD_URL);
    else
        cr_expect_str_eq(v.certificate_url, "");
    webhook_verified_fini(&v);
    free(text);
    json_decref(body);
    webhook_source_free(s);
    return verdict;
}

Test(webhook_sns, a_certificate_is_asked_for_on_amazons_hosts_alone)
{
    static const char *const good[] = { GOOD_URL, "https://sns.cn-north-1.amazonaws.com.cn/a/b.pem",
                                        "https://sns.abc.amazonaws.com/x.pem" };
    static const char *const bad[] = {
        "http://sns.us-east-1.amazonaws.com/x.pem",
        "HTTPS://sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com/x.pem.exe",
        "https://sns.us-east-1.amazonaws.com",
        "https://sns.us-east-1.amazonaws.com.pem",
        "https://sns.us-east-1.amazonaws.com:443/x.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/x.pem",
        "https://a:b@sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com\\@evil.example/x.pem",
        "https://sns.us-east-1.amazonaws.com/x?.pem",
        "https://sns.us-east-1.amazonaws.com/x#.pem",
        "https://sns.us-east-1.amazonaws.com/ x.pem",
        "https://sns.us-east-1.amazonaws.com/\n.pem",
        "https://sns.us_east_1.amazonaws.com/x.pem",
        "https://sns.a.b.amazonaws.com/x.pem",
        "https://sns.ab.amazonaws.com/x.pem",
        "https://sns..amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com.cn.example/x.pem",
        "https://sns.us-east-1.amazonaws.org/x.pem",
        "https://s3.us-east-1.amazonaws.com/x.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/x.pem",
        "https://127.0.0.1/x.pem",
        "file:///etc/x.pem",
        "",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_expect_eq(sns("SigningCertURL", good[i]), WEBHOOK_WANTS_CERTIFICATE, "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(sns("SigningCertURL", bad[i]), WEBHOOK_UNAUTHENTIC, "%s", bad[i]);
    char longer[700] = "https://sns.us-east-1.amazonaws.com/";
    memset(longer + strlen(longer), 'x', 600);
    strcpy(longer + 600, ".pem");
    cr_expect_eq(sns("SigningCertURL", longer), WEBHOOK_UNAUTHENTIC);
}

Test(webhook_sns, nothing_is_asked_for_when_the_topic_the_age_or_the_version_is_wrong)
{
    cr_expect_eq(sns("TopicArn", "arn:aws:sns:eu-west-1:1:other"), WEBHOOK_WANTS_CERTIFICATE);
    cr_expect_eq(sns("TopicArn", "arn:aws:sns:eu-west-1:1:othe"), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(sns("TopicArn", TOPIC "x"), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(sns("TopicArn", "arn:aws:sns:eu-west-1:1:other," TOPIC), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(sns("TopicArn", ""), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(sns("TopicArn", NULL), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(sns("SignatureVersion", "1"), WEBHOOK_WANTS_CERTIFICATE);
    cr_expect_eq(sns("SignatureVersion", "3"), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(sns("Timestamp", "2026-02-21T22:41:14Z"), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(sns("Timestamp", "2026-02-21T22:41:15Z"), WEBHOOK_WANTS_CERTIFICATE);
    cr_expect_eq(sns("Timestamp", "soon"), WEBHOOK_UNAUTHENTIC);
    cr_expect_eq(sns("Signature", "no base64"), WEBHOOK_UNAUTHENTIC);
}

Test(webhook_sns, raw_delivery_has_no_envelope_and_is_refused)
{
    struct webhook_source *s = hook_reader("ses");
    json_t *headers = json_pack("{s:s}", "x-amz-sns-rawdelivery", "true");
    struct webhook_verified v;
    cr_expect_eq(verdict_at(s, headers, "{\"eventType\":\"Bounce\",\"mail\":{}}", NOW, &v), WEBHOOK_UNAUTHENTIC);
    cr_expect_not_null(strstr(v.why, "raw message delivery"));
    json_decref(headers);
    webhook_source_free(s);
    static const char *const needed[] = { "Type",      "MessageId",      "Message",         "Timestamp",
                                          "Signature", "SigningCertURL", "SignatureVersion" };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        cr_expect_eq(sns(needed[i], NULL), WEBHOOK_UNAUTHENTIC, "without %s", needed[i]);
}

/* --- settings ------------------------------------------------------------------------------------------------------ */

static void is_refused(const struct webhook_settings *settings, const char *words)
{
    struct webhook_source *s = NULL;
    struct err e = { "" };
    cr_expect_eq(webhook_source_new(settings, &s, &e), E_INVALID, "%s", words);
    cr_expect_null(s);
    cr_expect_not_null(strstr(e.text, words), "'%s' is not in '%s'", words, e.text);
    cr_expect_null(strstr(e.text, "s3cret"));
}

Test(webhook, settings_that_do_not_fit_the_type_are_refused_without_telling_a_secret)
{
    char longer[WEBHOOK_SECRET_BYTES_MAX + 2] = "";
    memset(longer, 'x', sizeof longer - 1);
    is_refused(&(struct webhook_settings){ .type = NULL }, "type: sendgrid");
    is_refused(&(struct webhook_settings){ .type = "sparkpost" }, "type: sendgrid");
    is_refused(&(struct webhook_settings){ .type = "mailgun" }, "type mailgun needs a secret");
    is_refused(&(struct webhook_settings){ .type = "mailgun", .secrets = { "" } }, "secret 1: 1 to");
    is_refused(&(struct webhook_settings){ .type = "mailgun", .secrets = { "a", longer } }, "secret 2: 1 to");
    is_refused(&(struct webhook_settings){ .type = "mailgun", .secrets = { "s3cret" }, .topic_arn = TOPIC },
               "topic_arn:");
    is_refused(&(struct webhook_settings){ .type = "resend", .secrets = { "whsec_s3cret!" } },
               "secret 1: after whsec_");
    is_refused(&(struct webhook_settings){ .type = "resend", .secrets = { "whsec_" } }, "secret 1: 1 to");
    is_refused(&(struct webhook_settings){ .type = "postmark", .secrets = { "s3cret" } }, "user:password");
    is_refused(&(struct webhook_settings){ .type = "postmark", .secrets = { "s3cret" }, .secret_header = "" },
               "header");
    is_refused(&(struct webhook_settings){ .type = "resend", .secrets = { "s3cret" }, .secret_header = "X" }, "header");
    is_refused(&(struct webhook_settings){ .type = "sendgrid" }, "type sendgrid needs a public key");
    is_refused(&(struct webhook_settings){ .type = "sendgrid", .public_keys = { "s3cret" } }, "no public key");
    is_refused(&(struct webhook_settings){ .type = "sendgrid", .secrets = { "s3cret" } }, "takes no secret");
    is_refused(&(struct webhook_settings){ .type = "postmark", .secrets = { "a:b" }, .public_keys = { "s3cret" } },
               "takes no public key");
    is_refused(&(struct webhook_settings){ .type = "ses" }, "topic_arn:");
    is_refused(&(struct webhook_settings){ .type = "ses", .topic_arn = "" }, "topic_arn:");
    is_refused(&(struct webhook_settings){ .type = "ses", .topic_arn = TOPIC "," }, "topic_arn:");
    is_refused(&(struct webhook_settings){ .type = "ses", .topic_arn = TOPIC ", " TOPIC }, "topic_arn:");
}
