/* Amazon SNS (SES): RSA PKCS #1 v1.5 over chosen members of the envelope, each as "Key\nValue\n"; version 1 with SHA-1, 2 with
 * SHA-256. The key is in a certificate that the message names by URL, so three things are looked at before anybody fetches it:
 * the topic (anyone may own one, and sign in it), the host of the URL, and the age. "Raw message delivery" has no envelope
 * and no signature, and is refused. */
#include <string.h>

#include "iso_time.h"
#include "sns.h"
#include "source.h"

#define SIGNATURE_BYTES_MAX 1024 /* RSA-8192 */
#define PIECES_MAX          (8 * 4)

static bool topic_is_ours(const struct webhook_source *s, const char *arn)
{
    size_t bytes = arn != NULL ? strlen(arn) : 0;
    for (const char *at = s->topic_arns; bytes > 0; at++) {
        size_t one = strcspn(at, ",");
        if (one == bytes && memcmp(at, arn, bytes) == 0)
            return true;
        at += one;
        if (*at == '\0')
            break;
    }
    return false;
}

static bool certificate_url_is_good(const char *url)
{
    size_t bytes = url != NULL ? strlen(url) : 0;
    return bytes > 4 && bytes <= WEBHOOK_URL_BYTES_MAX && sns_url_is_amazons(url) && strchr(url, '?') == NULL &&
           strcmp(url + bytes - 4, ".pem") == 0;
}

static bool is_about_the_subscription(const struct sns *n)
{
    return strcmp(n->type, "SubscriptionConfirmation") == 0 || strcmp(n->type, "UnsubscribeConfirmation") == 0;
}

/* In the order of their names; what is absent is left out, and of a notification the two that only confirmations have. */
static size_t signed_text(const struct sns *n, struct piece pieces[PIECES_MAX])
{
    bool confirms = is_about_the_subscription(n);
    const char *const members[][2] = {
        { "Message\n", n->message },     { "MessageId\n", n->message_id },
        { "Subject\n", n->subject },     { "SubscribeURL\n", confirms ? n->subscribe_url : NULL },
        { "Timestamp\n", n->timestamp }, { "Token\n", confirms ? n->token : NULL },
        { "TopicArn\n", n->topic_arn },  { "Type\n", n->type },
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (members[i][1] == NULL)
            continue;
        pieces[count++] = (struct piece){ members[i][0], strlen(members[i][0]) };
        pieces[count++] = (struct piece){ members[i][1], strlen(members[i][1]) };
        pieces[count++] = (struct piece){ "\n", 1 };
    }
    return count;
}

static enum webhook_verdict confirmation(const struct sns *n, struct webhook_verified *ret)
{
    if (n->token == NULL)
        return webhook_malformed(ret, "a confirmation without Token");
    /* s*: absent when NULL */
    ret->confirmation =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*}", "event_id", n->message_id, "type", n->type, "topic_arn",
                  n->topic_arn, "token", n->token, "occurred_at", n->timestamp, "subscribe_url",
                  n->subscribe_url != NULL && sns_url_is_amazons(n->subscribe_url) ? n->subscribe_url : NULL);
    return ret->confirmation != NULL ? WEBHOOK_CONFIRMATION : WEBHOOK_NO_MEMORY;
}

static enum webhook_verdict judge(const struct webhook_source *s, const struct sns *n, struct wall now,
                                  const struct webhook_certificates *certificates, struct webhook_verified *ret)
{
    uint8_t signature[SIGNATURE_BYTES_MAX];
    size_t bytes;
    struct piece pieces[PIECES_MAX];
    struct wall signed_at;
    if (n->type == NULL || n->signature == NULL || n->signature_version == NULL || n->signing_cert_url == NULL ||
        n->message == NULL || n->message_id == NULL || n->timestamp == NULL)
        return webhook_refuse(ret, "no envelope with a signature: is raw message delivery switched on?");
    if (!topic_is_ours(s, n->topic_arn))
        return webhook_refuse(ret, "the topic is none of ours");
    bool is_1 = strcmp(n->signature_version, "1") == 0;
    if (!is_1 && strcmp(n->signature_version, "2") != 0)
        return webhook_refuse(ret, "SignatureVersion is neither 1 nor 2");
    if (!certificate_url_is_good(n->signing_cert_url))
        return webhook_refuse(ret, "SigningCertURL is none of Amazon's");
    if (!iso_time(n->timestamp, &signed_at) || !webhook_fresh(s, signed_at, now))
        return webhook_refuse(ret, "the timestamp is stale, in the future, or no time");
    if (!signature_base64(n->signature, strlen(n->signature), signature, sizeof signature, &bytes))
        return webhook_refuse(ret, "the signature is no base64");
    const struct public_key *key = webhook_certificates_find(certificates, n->signing_cert_url);
    if (key == NULL) {
        ret->why = "the certificate has not been fetched";
        strcpy(ret->certificate_url, n->signing_cert_url);
        return WEBHOOK_WANTS_CERTIFICATE;
    }
    if (!public_key_verifies(key, is_1 ? SIGNATURE_SHA1 : SIGNATURE_SHA256, pieces, signed_text(n, pieces), signature,
                             bytes))
        return webhook_refuse(ret, "the signature is wrong");
    return is_about_the_subscription(n) ? confirmation(n, ret) : WEBHOOK_AUTHENTIC;
}

VERIFY(verify_sns)
{
    struct sns n;
    enum status st = sns_read(r->body, r->bytes, &n, NULL);
    if (st == E_NOMEM)
        return WEBHOOK_NO_MEMORY;
    if (st != OK)
        return webhook_malformed(ret, "no JSON object whose members are texts");
    enum webhook_verdict verdict = judge(s, &n, now, certificates, ret);
    sns_fini(&n);
    return verdict;
}
