#include "sigv4.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "followupd/base/buf.h"
#include "server.h"

#define HASH_BYTES      32
#define CANONICAL_BYTES (32u * 1024)

/* The parts of the Authorization header. */
struct claim {
    char key[160], date[9], region[SIGV4_REGION_BYTES], service[32], headers[512], signature[65];
};

static bool read_claim(const char *text, struct claim *ret)
{
    return text != NULL && sscanf(text,
                                  "AWS4-HMAC-SHA256 Credential=%159[^/]/%8[0-9]/%47[^/]/%31[^/]/aws4_request, "
                                  "SignedHeaders=%511[^,], Signature=%64[0-9a-f]",
                                  ret->key, ret->date, ret->region, ret->service, ret->headers, ret->signature) == 6;
}

static void sha256_hex(const void *bytes, size_t count, char ret[2 * HASH_BYTES + 1])
{
    unsigned char hash[HASH_BYTES];
    EVP_Digest(bytes, count, hash, NULL, EVP_sha256(), NULL);
    sodium_bin2hex(ret, 2 * HASH_BYTES + 1, hash, sizeof hash);
}

/* "name:value\n" with runs of spaces as one */
static enum status add_header(struct buf *b, const char *name, const char *value)
{
    enum status st = buf_format(b, "%s:", name);
    value += strspn(value, " ");
    while (st == OK && *value != '\0') {
        size_t word = strcspn(value, " ");
        st = buf_add(b, value, word);
        value += word + strspn(value + word, " ");
        if (st == OK && *value != '\0')
            st = buf_add(b, " ", 1);
    }
    return st == OK ? buf_add(b, "\n", 1) : st;
}

static enum status add_headers(const struct exchange *x, const struct claim *c, struct buf *b)
{
    char names[sizeof c->headers], *rest = names;
    bool host = false, date = false;
    enum status st = OK;
    memcpy(names, c->headers, sizeof names);
    for (char *name = strsep(&rest, ";"); st == OK && name != NULL; name = strsep(&rest, ";")) {
        const char *value = exchange_header(x, name);
        host = host || strcmp(name, "host") == 0;
        date = date || strcmp(name, "x-amz-date") == 0;
        st = value != NULL ? add_header(b, name, value) : E_INVALID;
    }
    return st == OK && host && date ? OK : E_INVALID;
}

/* Of the one request that has a query: its parameters by name, encoded as RFC 3986 has it. */
static enum status add_query(const struct exchange *x, struct buf *b)
{
    static const char *const names[] = { "EndDate", "NextToken", "PageSize", "Reason", "StartDate" };
    enum status st = OK;
    bool first = true;
    for (size_t i = 0; i < sizeof names / sizeof *names && st == OK; i++) {
        const char *value = exchange_query(x, names[i]);
        if (value == NULL)
            continue;
        st = buf_format(b, "%s%s=", first ? "" : "&", names[i]);
        first = false;
        for (; *value != '\0' && st == OK; value++)
            st = buf_format(b, isalnum((unsigned char)*value) || strchr("-._~", *value) != NULL ? "%c" : "%%%02X",
                            (unsigned char)*value);
    }
    return st;
}

static enum status add_canonical(const struct exchange *x, const struct claim *c, struct buf *b)
{
    const struct buf *body = exchange_body(x);
    char hash[2 * HASH_BYTES + 1];
    sha256_hex(body->used > 0 ? body->data : "", body->used, hash);
    enum status st = buf_format(b, "%s\n%s\n", exchange_method(x), exchange_path(x));
    if (st == OK)
        st = add_query(x, b);
    if (st == OK)
        st = buf_add(b, "\n", 1);
    if (st == OK)
        st = add_headers(x, c, b);
    return st == OK ? buf_format(b, "\n%s\n%s", c->headers, hash) : st;
}

static void mac(const void *key, size_t key_bytes, const char *text, unsigned char ret[HASH_BYTES])
{
    unsigned bytes = HASH_BYTES;
    HMAC(EVP_sha256(), key, (int)key_bytes, (const unsigned char *)text, strlen(text), ret, &bytes);
}

static void sign(const struct claim *c, const char *secret, const char *text, char ret[2 * HASH_BYTES + 1])
{
    char first[512];
    unsigned char key[HASH_BYTES];
    const char *const steps[] = { c->region, c->service, "aws4_request", text };
    snprintf(first, sizeof first, "AWS4%s", secret);
    mac(first, strlen(first), c->date, key);
    for (size_t i = 0; i < 4; i++) {
        unsigned char next[HASH_BYTES];
        mac(key, sizeof key, steps[i], next);
        memcpy(key, next, sizeof key);
    }
    sodium_bin2hex(ret, 2 * HASH_BYTES + 1, key, sizeof key);
}

static bool is_fresh(const char *date, const struct claim *c, struct wall now)
{
    struct tm utc = { 0 };
    const char *end = date != NULL ? strptime(date, "%Y%m%dT%H%M%SZ", &utc) : NULL;
    if (end == NULL || *end != '\0' || strncmp(date, c->date, 8) != 0)
        return false;
    return llabs((long long)timegm(&utc) - (long long)(now.us / 1000000)) <= SIGV4_SKEW_S;
}

bool sigv4_verify(const struct exchange *x, const char *credential, const char *service, struct wall now)
{
    struct claim c;
    const char *date = exchange_header(x, "X-Amz-Date"), *colon = strchr(credential, ':');
    char hash[2 * HASH_BYTES + 1], expected[2 * HASH_BYTES + 1], text[512];
    struct buf canonical;
    if (colon == NULL || !read_claim(exchange_header(x, "Authorization"), &c) || strcmp(c.service, service) != 0 ||
        strlen(c.key) != (size_t)(colon - credential) || strncmp(c.key, credential, strlen(c.key)) != 0 ||
        !is_fresh(date, &c, now))
        return false;
    buf_init(&canonical, CANONICAL_BYTES);
    bool good = add_canonical(x, &c, &canonical) == OK;
    if (good) {
        sha256_hex(canonical.data, canonical.used, hash);
        snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", date, c.date, c.region,
                 c.service, hash);
        sign(&c, colon + 1, text, expected);
        good = strlen(c.signature) == 2 * HASH_BYTES && sodium_memcmp(expected, c.signature, 2 * HASH_BYTES) == 0;
    }
    buf_fini(&canonical);
    return good;
}

void sigv4_region(const struct exchange *x, char ret[SIGV4_REGION_BYTES])
{
    struct claim c;
    bool is_signed = read_claim(exchange_header(x, "Authorization"), &c);
    snprintf(ret, SIGV4_REGION_BYTES, "%s", is_signed ? c.region : "");
}
