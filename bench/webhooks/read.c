/* read: what the daemon's threads do with a webhook, alone: the signature checked, and the events read and written for the database.
 *
 *     read KEY.pem PUBLIC.pem TIMES
 *
 * Prints {"verify_us", "events_us"}: CPU a webhook. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "events.h"
#include "followupd/inbound/webhook.h"

struct signed_body {
    char text[EVENTS_MAX * EVENT_ROOM], stamp[24], signature64[256];
    int bytes;
};

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static const char *header_of(const void *headers, const char *name)
{
    const struct signed_body *b = headers;
    if (strcasecmp(name, "X-Twilio-Email-Event-Webhook-Signature") == 0)
        return b->signature64;
    return strcasecmp(name, "X-Twilio-Email-Event-Webhook-Timestamp") == 0 ? b->stamp : NULL;
}

static void sign(EVP_PKEY *key, time_t now, struct signed_body *ret)
{
    unsigned char signature[128];
    size_t bytes = sizeof signature;
    ret->bytes = write_events(ret->text, 1, WEBHOOK_EVENTS);
    int stamp_bytes = snprintf(ret->stamp, sizeof ret->stamp, "%lld", (long long)now);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key);
    EVP_DigestSignUpdate(c, ret->stamp, (size_t)stamp_bytes);
    EVP_DigestSignUpdate(c, ret->text, (size_t)ret->bytes);
    if (EVP_DigestSignFinal(c, signature, &bytes) != 1)
        exit(1);
    EVP_MD_CTX_free(c);
    EVP_EncodeBlock((unsigned char *)ret->signature64, signature, (int)bytes);
}

int main(int argc, char **argv)
{
    static struct signed_body body;
    static char public_key[4096];
    FILE *file = argc == 4 ? fopen(argv[1], "r") : NULL;
    EVP_PKEY *key = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    FILE *public_file = argc == 4 ? fopen(argv[2], "r") : NULL;
    if (key == NULL || public_file == NULL || fread(public_key, 1, sizeof public_key - 1, public_file) == 0)
        return 2;
    int times = atoi(argv[3]);
    sign(key, time(NULL), &body);
    struct webhook_source *source;
    struct err e = { "" };
    if (webhook_source_new(&(struct webhook_settings){ .type = "sendgrid", .public_keys = { public_key } }, &source,
                           &e) != OK) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    const struct webhook_request request = {
        .content_type = "application/json",
        .header = header_of,
        .headers = &body,
        .body = body.text,
        .bytes = (size_t)body.bytes,
    };
    double start = cpu_us();
    for (int i = 0; i < times; i++) {
        struct webhook_verified verified;
        enum webhook_verdict verdict = webhook_verify(source, &request, wall_now(), NULL, &verified);
        webhook_verified_fini(&verified);
        if (verdict != WEBHOOK_AUTHENTIC) {
            fprintf(stderr, "%s\n", verified.why);
            return 1;
        }
    }
    double verified_at = cpu_us();
    for (int i = 0; i < times; i++) {
        json_t *events = NULL;
        if (webhook_events(source, &request, &events, &e) != OK || json_array_size(events) != WEBHOOK_EVENTS)
            return 1;
        free(webhook_events_text(events));
        json_decref(events);
    }
    printf("{\"verify_us\":%.1f,\"events_us\":%.1f}\n", (verified_at - start) / times,
           (cpu_us() - verified_at) / times);
    return 0;
}
