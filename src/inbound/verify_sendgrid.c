/* SendGrid, event webhook and (by a security policy) Inbound Parse: ECDSA P-256 with SHA-256 over the bytes of the timestamp's
 * header and the body, with nothing between. The scheme has no rule of freshness; webhook.h has ours. */
#include <string.h>

#include "source.h"

#define SIGNATURE_DER_BYTES_MAX 80 /* of two numbers of 32 bytes */

VERIFY(verify_sendgrid)
{
    const char *signature = r->header(r->headers, "X-Twilio-Email-Event-Webhook-Signature");
    const char *timestamp = r->header(r->headers, "X-Twilio-Email-Event-Webhook-Timestamp");
    uint8_t der[SIGNATURE_DER_BYTES_MAX];
    size_t der_bytes;
    struct wall signed_at;
    (void)certificates;
    if (signature == NULL || timestamp == NULL)
        return webhook_refuse(ret, "no header with a signature, or none with its timestamp");
    if (!webhook_seconds(timestamp, &signed_at) || !webhook_fresh(s, signed_at, now))
        return webhook_refuse(ret, "the timestamp is stale, in the future, or no number");
    if (!signature_base64(signature, strlen(signature), der, sizeof der, &der_bytes))
        return webhook_refuse(ret, "the signature is no base64");
    struct piece pieces[] = { { timestamp, strlen(timestamp) }, { r->body, r->bytes } };
    for (size_t i = 0; i < s->keys_count; i++) {
        if (public_key_verifies(s->keys[i], SIGNATURE_SHA256, pieces, 2, der, der_bytes))
            return WEBHOOK_AUTHENTIC;
    }
    return webhook_refuse(ret, "the signature is wrong");
}
