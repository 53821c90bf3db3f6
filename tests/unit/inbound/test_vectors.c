/* Every request of tests/data/vectors, with its key and at its time; README.md there has the rules for `policy`. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "hook.h"

#define CLOCK 1771803675 /* of most vectors; for those whose scheme asks for none: 3 s after they were signed */

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static json_t *file_load(const char *name)
{
    char path[4096];
    const char *source = getenv("FOLLOWUPD_SOURCE");
    json_error_t why;
    snprintf(path, sizeof path, "%s/tests/data/vectors/%s.json", source != NULL ? source : ".", name);
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    cr_assert_not_null(file, "%s: %s (run from the source folder, or set FOLLOWUPD_SOURCE)", path, why.text);
    return file;
}

/* The published ones were signed years ago. */
static int64_t clock_of(const json_t *vector)
{
    const json_t *headers = json_object_get(vector, "headers");
    const char *sendgrid = text_at(headers, "X-Twilio-Email-Event-Webhook-Timestamp");
    if (json_object_get(vector, "clock") != NULL)
        return json_integer_value(json_object_get(vector, "clock"));
    if (strncmp(text_at(vector, "name"), "published", 9) != 0)
        return CLOCK;
    return sendgrid != NULL ? atoll(sendgrid) + 3 : 1659048840; /* 2022-07-28T22:54, SNS */
}

static struct webhook_source *source_of(const json_t *vector, int64_t fresh_ms)
{
    static char credentials[256];
    const json_t *key = json_object_get(vector, "key");
    struct webhook_settings s = { .type = text_at(vector, "provider"), .fresh_ms = fresh_ms };
    s.public_keys[0] = text_at(key, "public_key_spki_base64");
    s.secrets[0] = text_at(key, "signing_key");
    s.secret_header = text_at(key, "header_name");
    s.topic_arn = json_string_value(json_array_get(json_object_get(key, "allowed_topic_arns"), 0));
    if (text_at(key, "secret") != NULL)
        s.secrets[0] = text_at(key, "secret");
    if (text_at(key, "header_value") != NULL)
        s.secrets[0] = text_at(key, "header_value");
    if (text_at(key, "basic_user") != NULL) {
        snprintf(credentials, sizeof credentials, "%s:%s", text_at(key, "basic_user"), text_at(key, "basic_password"));
        s.secrets[0] = credentials;
    }
    return hook_source(&s);
}

/* Fetches the certificate when asked to, from where the vector says that it is. */
static enum webhook_verdict verdict_at(const json_t *vector, int64_t fresh_ms, int64_t now_s,
                                       struct webhook_verified *ret)
{
    const json_t *key = json_object_get(vector, "key");
    struct webhook_source *s = source_of(vector, fresh_ms);
    struct webhook_certificates *certificates = webhook_certificates_new();
    const json_t *body = json_object_get(vector, "body");
    struct webhook_request r =
        hook_request(json_object_get(vector, "headers"), json_string_value(body), json_string_length(body));
    struct wall now = { now_s * 1000000 };
    enum webhook_verdict verdict = webhook_verify(s, &r, now, certificates, ret);
    if (verdict == WEBHOOK_WANTS_CERTIFICATE) {
        cr_expect_str_eq(ret->certificate_url, text_at(key, "served_at"));
        cr_assert_eq(webhook_certificates_put(certificates, ret->certificate_url, text_at(key, "cert_pem"),
                                              strlen(text_at(key, "cert_pem")), NULL),
                     OK);
        webhook_verified_fini(ret);
        verdict = webhook_verify(s, &r, now, certificates, ret);
    }
    if (verdict == WEBHOOK_AUTHENTIC && strncmp(r.content_type, "application/x-www-form", 22) != 0) {
        json_t *events = NULL;
        struct err e = { "" };
        cr_expect_eq(webhook_events(s, &r, &events, &e), OK, "%s: %s", text_at(vector, "name"), e.text);
        json_decref(events);
    }
    webhook_certificates_free(certificates);
    webhook_source_free(s);
    return verdict;
}

static enum webhook_verdict verdict_of(const json_t *vector, int64_t fresh_ms, struct webhook_verified *ret)
{
    return verdict_at(vector, fresh_ms, clock_of(vector), ret);
}

static void judge(const json_t *vector)
{
    const char *name = text_at(vector, "name"), *expect = text_at(vector, "expect");
    struct webhook_verified v;
    enum webhook_verdict verdict = verdict_of(vector, 0, &v);
    if (strcmp(expect, "accept") == 0) {
        cr_expect(verdict == WEBHOOK_AUTHENTIC || verdict == WEBHOOK_CONFIRMATION, "%s: %d %s", name, verdict, v.why);
    } else if (strcmp(expect, "reject") == 0) {
        cr_expect_eq(verdict, WEBHOOK_UNAUTHENTIC, "%s: %d", name, verdict);
    } else if (strcmp(name, "used token") == 0) {
        cr_expect_eq(verdict, WEBHOOK_AUTHENTIC);
        cr_expect_str_eq(v.token, json_string_value(json_array_get(json_object_get(vector, "tokens_already_used"), 0)));
    } else {
        cr_assert_str_eq(expect, "policy");
        cr_expect_eq(verdict, WEBHOOK_UNAUTHENTIC, "%s: %d", name, verdict);
        cr_expect_not_null(strstr(v.why, "stale"), "%s: %s", name, v.why);
        webhook_verified_fini(&v);
        cr_expect_eq(verdict_of(vector, -1, &v), WEBHOOK_AUTHENTIC, "%s: without the rule", name);
    }
    webhook_verified_fini(&v);
}

static void judge_file(const char *name, size_t count)
{
    json_t *file = file_load(name), *vector;
    size_t i;
    cr_assert_eq(json_array_size(json_object_get(file, "vectors")), count);
    json_array_foreach (json_object_get(file, "vectors"), i, vector)
        judge(vector);
    json_decref(file);
}

Test(vectors, sendgrid_is_answered_as_its_vectors_say)
{
    judge_file("sendgrid", 8);
}

Test(vectors, mailgun_is_answered_as_its_vectors_say)
{
    judge_file("mailgun", 8);
}

Test(vectors, postmark_is_answered_as_its_vectors_say)
{
    judge_file("postmark", 5);
}

Test(vectors, sns_is_answered_as_its_vectors_say)
{
    judge_file("sns", 10);
}

Test(vectors, svix_is_answered_as_its_vectors_say)
{
    judge_file("svix", 7);
}

/* What never changes but one bit of it: every byte of the body of every vector that is accepted, each in turn. */
static void flip_each(const json_t *vector, size_t step)
{
    const char *body = text_at(vector, "body");
    size_t bytes = strlen(body);
    json_t *altered = json_deep_copy(vector);
    char *copy = strdup(body);
    for (size_t i = 0; i < bytes; i += step) {
        struct webhook_verified v;
        copy[i] ^= 1;
        json_object_set_new(altered, "body", json_stringn_nocheck(copy, bytes));
        enum webhook_verdict verdict = verdict_of(altered, 0, &v);
        cr_expect(verdict == WEBHOOK_UNAUTHENTIC, "%s: byte %zu altered: %d", text_at(vector, "name"), i, verdict);
        webhook_verified_fini(&v);
        copy[i] ^= 1;
    }
    free(copy);
    json_decref(altered);
}

Test(vectors, a_signature_covers_every_byte_of_a_body)
{
    static const char *const files[] = { "sendgrid", "svix" };
    for (size_t f = 0; f < 2; f++) {
        json_t *file = file_load(files[f]), *vector;
        size_t i;
        json_array_foreach (json_object_get(file, "vectors"), i, vector) {
            if (strcmp(text_at(vector, "expect"), "accept") == 0)
                flip_each(vector, f == 0 ? 37 : 1);
        }
        json_decref(file);
    }
}

/* --- SNS, further -------------------------------------------------------------------------------------------------- */

static json_t *vector_named(json_t *file, const char *name)
{
    json_t *vector;
    size_t i;
    json_array_foreach (json_object_get(file, "vectors"), i, vector) {
        if (strcmp(text_at(vector, "name"), name) == 0)
            return vector;
    }
    cr_assert_fail("no vector '%s'", name);
    return NULL;
}

Test(vectors, a_confirmation_is_given_out_for_a_person)
{
    json_t *file = file_load("sns"), *vector = vector_named(file, "valid subscription confirmation");
    json_t *body = json_loads(text_at(vector, "body"), 0, NULL);
    struct webhook_verified v;
    cr_assert_eq(verdict_of(vector, 0, &v), WEBHOOK_CONFIRMATION);
    cr_expect_str_eq(text_at(v.confirmation, "event_id"), text_at(body, "MessageId"));
    cr_expect_str_eq(text_at(v.confirmation, "type"), "SubscriptionConfirmation");
    cr_expect_str_eq(text_at(v.confirmation, "topic_arn"), text_at(body, "TopicArn"));
    cr_expect_str_eq(text_at(v.confirmation, "token"), text_at(body, "Token"));
    cr_expect_str_eq(text_at(v.confirmation, "subscribe_url"), text_at(body, "SubscribeURL"));
    cr_expect_str_eq(text_at(v.confirmation, "occurred_at"), text_at(body, "Timestamp"));
    webhook_verified_fini(&v);
    json_decref(body);
    json_decref(file);
}

/* The key is the vector's; only the URLs differ. */
static enum webhook_verdict after_others(const json_t *vector, int others)
{
    const char *pem = text_at(json_object_get(vector, "key"), "cert_pem");
    struct webhook_source *s = source_of(vector, 0);
    struct webhook_certificates *c = webhook_certificates_new();
    struct webhook_request r =
        hook_request(json_object_get(vector, "headers"), text_at(vector, "body"), strlen(text_at(vector, "body")));
    struct webhook_verified v;
    cr_assert_eq(
        webhook_certificates_put(c, text_at(json_object_get(vector, "key"), "served_at"), pem, strlen(pem), NULL), OK);
    for (int i = 0; i < others; i++) {
        char url[100];
        snprintf(url, sizeof url, "https://sns.us-east-1.amazonaws.com/%d.pem",
                 i / 2); /* each twice: it takes one place */
        cr_assert_eq(webhook_certificates_put(c, url, pem, strlen(pem), NULL), OK);
    }
    enum webhook_verdict verdict = webhook_verify(s, &r, (struct wall){ CLOCK * 1000000LL }, c, &v);
    webhook_verified_fini(&v);
    webhook_certificates_free(c);
    webhook_source_free(s);
    return verdict;
}

Test(vectors, the_oldest_certificate_goes_when_there_is_no_place)
{
    json_t *file = file_load("sns"), *vector = vector_named(file, "valid bounce notification, version 2");
    cr_expect_eq(after_others(vector, 2 * (WEBHOOK_CERTIFICATES_MAX - 1)), WEBHOOK_AUTHENTIC);
    cr_expect_eq(after_others(vector, 2 * WEBHOOK_CERTIFICATES_MAX), WEBHOOK_WANTS_CERTIFICATE);
    json_decref(file);
}

static enum webhook_verdict verdict_alone(const json_t *vector, int64_t now_s)
{
    struct webhook_verified v;
    enum webhook_verdict verdict = verdict_at(vector, 0, now_s, &v);
    webhook_verified_fini(&v);
    return verdict;
}

/* When the valid vector of that name was signed; its header says it, or the envelope. */
static int64_t signed_at(const json_t *vector)
{
    const char *header = text_at(json_object_get(vector, "headers"), "X-Twilio-Email-Event-Webhook-Timestamp");
    if (header != NULL)
        return atoll(header);
    struct tm tm = { 0 };
    json_t *envelope = json_loads(text_at(vector, "body"), 0, NULL);
    cr_assert_not_null(strptime(text_at(envelope, "Timestamp"), "%Y-%m-%dT%H:%M:%S", &tm));
    json_decref(envelope);
    return timegm(&tm);
}

Test(vectors, a_day_and_an_hour_back_and_five_minutes_ahead_are_taken_and_one_second_more_is_not)
{
    static const char *const valid[][2] = { { "sendgrid", "valid, two events" },
                                            { "sns", "valid bounce notification, version 2" } };
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        json_t *file = file_load(valid[i][0]), *vector;
        size_t at;
        json_array_foreach (json_object_get(file, "vectors"), at, vector) {
            if (strcmp(text_at(vector, "name"), valid[i][1]) != 0)
                continue;
            int64_t s = signed_at(vector);
            cr_expect_eq(verdict_alone(vector, s + 25 * 3600), WEBHOOK_AUTHENTIC, "%s", valid[i][0]);
            cr_expect_eq(verdict_alone(vector, s + 25 * 3600 + 1), WEBHOOK_UNAUTHENTIC, "%s", valid[i][0]);
            cr_expect_eq(verdict_alone(vector, s - 300), WEBHOOK_AUTHENTIC, "%s", valid[i][0]);
            cr_expect_eq(verdict_alone(vector, s - 301), WEBHOOK_UNAUTHENTIC, "%s", valid[i][0]);
            break;
        }
        cr_expect_lt(at, json_array_size(json_object_get(file, "vectors")), "%s has it", valid[i][0]);
        json_decref(file);
    }
}

/* Content-Type says how to read; what SNS sends beside its envelope says nothing that is not in it. */
static bool proves(const char *header)
{
    return strcasecmp(header, "content-type") != 0 && strncasecmp(header, "x-amz-", 6) != 0;
}

Test(vectors, without_any_of_the_headers_that_prove_it_no_request_is_authentic)
{
    static const char *const files[] = { "sendgrid", "postmark", "svix" };
    size_t tried = 0, i;
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        json_t *file = file_load(files[f]), *vector, *value;
        json_array_foreach (json_object_get(file, "vectors"), i, vector) {
            const char *name;
            void *next;
            json_t *headers = json_object_get(vector, "headers"), *all = json_copy(headers);
            json_object_foreach_safe(all, next, name, value)
            {
                if (strcmp(text_at(vector, "expect"), "accept") != 0 || !proves(name))
                    continue;
                json_object_del(headers, name);
                cr_expect_eq(verdict_alone(vector, clock_of(vector)), WEBHOOK_UNAUTHENTIC, "%s: without %s",
                             text_at(vector, "name"), name);
                json_object_set(headers, name, value);
                tried++;
            }
            json_decref(all);
        }
        json_decref(file);
    }
    cr_expect_eq(tried, 2 * 2 + 2 + 4 * 3);
}
