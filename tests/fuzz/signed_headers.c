/* signed_headers: any values in the headers that carry a signature. Input: lines; the first letter of the first one chooses the
 * scheme, the others are id, timestamp, signature. No input is authentic. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/inbound/webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define LINES_MAX 4

struct lines {
    char *text[LINES_MAX]; /* NULL: absent */
};

static const char *header_of(const void *headers, const char *name)
{
    const struct lines *lines = headers;
    if (strstr(name, "Timestamp") != NULL || strstr(name, "timestamp") != NULL)
        return lines->text[2];
    if (strstr(name, "Signature") != NULL || strstr(name, "signature") != NULL || strcmp(name, "Authorization") == 0)
        return lines->text[3];
    return strcmp(name, "webhook-id") == 0 ? NULL : lines->text[1];
}

static const struct webhook_source *source_of(char letter)
{
    static struct webhook_source *sources[3];
    static const struct webhook_settings settings[3] = {
        { .type = "sendgrid",
          .public_keys = { "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/"
                           "7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+"
                           "2fNNRaINXvVpiglSI8eNEc6wEA3F+g==" } },
        { .type = "resend", .secrets = { "whsec_c2VjcmV0", "b3RoZXI=" } },
        { .type = "postmark", .secrets = { "user:password" } },
    };
    size_t i = (unsigned char)letter % 3;
    if (sources[i] == NULL && webhook_source_new(&settings[i], &sources[i], NULL) != OK)
        abort();
    return sources[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct lines lines = { { NULL } };
    for (size_t i = 0, at = 0; i < LINES_MAX && at < bytes; i++) {
        const uint8_t *end = memchr(data + at, '\n', bytes - at);
        size_t count = end != NULL ? (size_t)(end - data) - at : bytes - at;
        lines.text[i] = strndup((const char *)data + at, count);
        at += count + 1;
    }
    struct webhook_request r = { .method = "POST", .header = header_of, .headers = &lines, .body = "{}", .bytes = 2 };
    struct webhook_verified v;
    const struct webhook_source *s = source_of(lines.text[0] != NULL ? lines.text[0][0] : '\0');
    enum webhook_verdict verdict = webhook_verify(s, &r, (struct wall){ 1771803675000000 }, NULL, &v);
    assert(verdict == WEBHOOK_UNAUTHENTIC && v.why != NULL);
    webhook_verified_fini(&v);
    for (size_t i = 0; i < LINES_MAX; i++)
        free(lines.text[i]);
    return 0;
}
