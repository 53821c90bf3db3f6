#include "followupd/secret/signature.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <string.h>

#define KEY_TEXT_BYTES_MAX 4096
#define RSA_BITS_MIN       2048

/* --- shared secrets ------------------------------------------------------------------------------------------------ */

/* Of their hashes, so that not even the lengths show. */
bool secret_equal(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    uint8_t hashes[2][crypto_generichash_BYTES];
    crypto_generichash(hashes[0], sizeof hashes[0], a, a_bytes, NULL, 0);
    crypto_generichash(hashes[1], sizeof hashes[1], b, b_bytes, NULL, 0);
    return sodium_memcmp(hashes[0], hashes[1], sizeof hashes[0]) == 0;
}

void secret_wipe(void *data, size_t bytes)
{
    sodium_memzero(data, bytes);
}

void signature_hmac_sha256(const void *key, size_t key_bytes, const struct piece *pieces, size_t pieces_count,
                           uint8_t ret[SIGNATURE_HMAC_BYTES])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_bytes);
    for (size_t i = 0; i < pieces_count; i++)
        crypto_auth_hmacsha256_update(&state, pieces[i].data, pieces[i].bytes);
    crypto_auth_hmacsha256_final(&state, ret);
    sodium_memzero(&state, sizeof state);
}

bool signature_base64(const char *text, size_t bytes, uint8_t *ret, size_t ret_max, size_t *ret_bytes)
{
    return sodium_base642bin(ret, ret_max, text, bytes, NULL, ret_bytes, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
}

/* --- public keys --------------------------------------------------------------------------------------------------- */

/* struct public_key is an EVP_PKEY under another name: nothing needs to be kept beside it. */
static EVP_PKEY *evp(const struct public_key *k)
{
    return (EVP_PKEY *)k;
}

/* A PEM text that is encrypted: OpenSSL would ask on the terminal. */
static int no_password(char *text, int bytes, int writing, void *context)
{
    (void)text, (void)bytes, (void)writing, (void)context;
    return -1;
}

static EVP_PKEY *key_of_pem(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    return key;
}

static EVP_PKEY *key_of_base64(const char *text)
{
    uint8_t der[KEY_TEXT_BYTES_MAX];
    size_t bytes;
    if (sodium_base642bin(der, sizeof der, text, strlen(text), " \t\r\n", &bytes, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return NULL;
    const uint8_t *at = der;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)bytes);
    if (key != NULL && at != der + bytes) { /* bytes after it */
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

enum status public_key_ecdsa_p256(const char *text, struct public_key **ret, struct err *e)
{
    char group[32] = "";
    EVP_PKEY *key = NULL;
    if (strlen(text) < KEY_TEXT_BYTES_MAX)
        key = strstr(text, "-----BEGIN") != NULL ? key_of_pem(text) : key_of_base64(text);
    ERR_clear_error();
    if (key == NULL)
        return err_set(e, E_INVALID, "no public key, neither in PEM nor base64 of DER");
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_group_name(key, group, sizeof group, NULL) != 1 ||
        strcmp(group, SN_X9_62_prime256v1) != 0) {
        EVP_PKEY_free(key);
        return err_set(e, E_INVALID, "the public key is not of the curve P-256");
    }
    *ret = (struct public_key *)key;
    return OK;
}

enum status public_key_of_certificate(const void *pem, size_t bytes, struct public_key **ret, struct err *e)
{
    BIO *bio = bytes > 0 && bytes <= INT32_MAX ? BIO_new_mem_buf(pem, (int)bytes) : NULL;
    X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
    EVP_PKEY *key = certificate != NULL ? X509_get_pubkey(certificate) : NULL;
    enum status st = OK;
    if (key == NULL)
        st = err_set(e, E_INVALID, "no certificate in PEM");
    else if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
        st = err_set(e, E_INVALID, "the certificate's key is no RSA key of %d bits or more", RSA_BITS_MIN);
    if (st == OK)
        *ret = (struct public_key *)key;
    else
        EVP_PKEY_free(key);
    X509_free(certificate);
    BIO_free(bio);
    ERR_clear_error();
    return st;
}

void public_key_free(struct public_key *k)
{
    EVP_PKEY_free(evp(k));
}

bool public_key_verifies(const struct public_key *k, enum signature_digest digest, const struct piece *pieces,
                         size_t pieces_count, const void *signature, size_t signature_bytes)
{
    const EVP_MD *md = digest == SIGNATURE_SHA1 ? EVP_sha1() : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool valid = context != NULL && EVP_DigestVerifyInit(context, NULL, md, NULL, evp(k)) == 1;
    for (size_t i = 0; i < pieces_count && valid; i++)
        valid = EVP_DigestVerifyUpdate(context, pieces[i].data, pieces[i].bytes) == 1;
    valid = valid && EVP_DigestVerifyFinal(context, signature, signature_bytes) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return valid;
}
