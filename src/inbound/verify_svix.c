/* Svix, which is Standard Webhooks under other names of headers (Resend): HMAC-SHA256 over "id.timestamp.body". The header may
 * hold several signatures, a blank between; those of other versions than v1 are passed over, one that matches is enough. */
#include <string.h>

#include "source.h"

#define SIGNATURES_MAX 16 /* looked at */

struct family {
    const char *id, *timestamp, *signature;
};
static const struct family families[] = { { "svix-id", "svix-timestamp", "svix-signature" },
                                          { "webhook-id", "webhook-timestamp", "webhook-signature" } };

/* One family or the other, never a header of each. */
static const struct family *family_of(const struct webhook_request *r)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (r->header(r->headers, families[i].id) != NULL)
            return &families[i];
    }
    return NULL;
}

const char *svix_id(const struct webhook_request *r)
{
    const struct family *family = family_of(r);
    return family != NULL ? r->header(r->headers, family->id) : NULL;
}

static bool one_matches(const struct webhook_source *s, const char *signatures, const struct piece *pieces,
                        size_t pieces_count)
{
    const char *at = signatures + strspn(signatures, " ");
    for (int i = 0; i < SIGNATURES_MAX && *at != '\0'; i++) {
        uint8_t hmac[SIGNATURE_HMAC_BYTES];
        size_t bytes = strcspn(at, " "), hmac_bytes;
        if (strncmp(at, "v1,", 3) == 0 && signature_base64(at + 3, bytes - 3, hmac, sizeof hmac, &hmac_bytes) &&
            webhook_hmac_matches(s, pieces, pieces_count, hmac, hmac_bytes))
            return true;
        at += bytes + strspn(at + bytes, " ");
    }
    return false;
}

VERIFY(verify_svix)
{
    const struct family *family = family_of(r);
    struct wall signed_at;
    (void)certificates;
    if (family == NULL)
        return webhook_refuse(ret, "no header with an id");
    const char *id = r->header(r->headers, family->id);
    const char *timestamp = r->header(r->headers, family->timestamp);
    const char *signatures = r->header(r->headers, family->signature);
    if (id[0] == '\0' || timestamp == NULL || signatures == NULL)
        return webhook_refuse(ret, "no id, or no header with a signature, or none with its timestamp");
    if (!webhook_seconds(timestamp, &signed_at) || !webhook_fresh(s, signed_at, now))
        return webhook_refuse(ret, "the timestamp is stale, in the future, or no number");
    struct piece pieces[] = {
        { id, strlen(id) }, { ".", 1 }, { timestamp, strlen(timestamp) }, { ".", 1 }, { r->body, r->bytes }
    };
    if (!one_matches(s, signatures, pieces, sizeof pieces / sizeof pieces[0]))
        return webhook_refuse(ret, "no signature that is right");
    return WEBHOOK_AUTHENTIC;
}
