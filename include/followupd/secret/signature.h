/* signature: is this signed with that key? HMAC and comparisons by libsodium, ECDSA and RSA by OpenSSL. Pure.
 *
 * Message    given in pieces that are signed one after another, so that nobody copies a body to put a timestamp before it.
 * Comparing  takes the same time whatever differs, and whatever the lengths are.
 * Ownership  public_key_... give a key to free with public_key_free; texts are borrowed.
 * Threads    a key may be used by many at once.
 * Cost       O(bytes), and for ECDSA P-256 about 90 us. */
#ifndef FOLLOWUPD_SECRET_SIGNATURE_H
#define FOLLOWUPD_SECRET_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/status.h"

#define SIGNATURE_HMAC_BYTES 32

struct piece {
    const void *data;
    size_t bytes;
};

bool secret_equal(const void *a, size_t a_bytes, const void *b, size_t b_bytes);
void secret_wipe(void *data, size_t bytes); /* also where the compiler would leave it out */

void signature_hmac_sha256(const void *key, size_t key_bytes, const struct piece *pieces, size_t pieces_count,
                           uint8_t ret[SIGNATURE_HMAC_BYTES]);

/* Base64 with its padding and nothing else; *ret_bytes of at most ret_max. False: no such text, or longer. */
bool signature_base64(const char *text, size_t bytes, uint8_t *ret, size_t ret_max, size_t *ret_bytes);

struct public_key; /* opaque: an EVP_PKEY */

/* P-256, as PEM or as base64 of the DER of a SubjectPublicKeyInfo; blanks and line breaks do not count. */
MUST_USE enum status public_key_ecdsa_p256(const char *text, struct public_key **ret, struct err *e);
/* RSA, 2048 bits or more, out of a certificate in PEM. Its chain and its time are not looked at. */
MUST_USE enum status public_key_of_certificate(const void *pem, size_t bytes, struct public_key **ret, struct err *e);
void public_key_free(struct public_key *k); /* NULL is fine */

enum signature_digest { SIGNATURE_SHA1, SIGNATURE_SHA256 };

/* ECDSA: signature is the DER of (r, s). RSA: PKCS #1 v1.5. False also when memory is short. */
bool public_key_verifies(const struct public_key *k, enum signature_digest digest, const struct piece *pieces,
                         size_t pieces_count, const void *signature, size_t signature_bytes);

#endif
