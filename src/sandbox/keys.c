#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_BYTES       8192
#define SECRET_BYTES     24
#define CERTIFICATE_DAYS 3650

struct keys {
    EVP_PKEY *sendgrid, *sns;
    char mailgun[TEXT_BYTES], resend[TEXT_BYTES], postmark[TEXT_BYTES], certificate[TEXT_BYTES];
};

/* ---- files ---- */

static FILE *open_file(const char *folder, const char *name, const char *mode)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    int fd = open(path, mode[0] == 'w' ? O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0600);
    return fd >= 0 ? fdopen(fd, mode) : NULL;
}

static enum status write_text(const char *folder, const char *name, const char *text, struct err *e)
{
    FILE *file = open_file(folder, name, "w");
    bool written = file != NULL && fprintf(file, "%s\n", text) > 0;
    if (file != NULL && fclose(file) != 0)
        written = false;
    return written ? OK : err_set(e, E_IO, "%s/%s: %s", folder, name, strerror(errno));
}

/* false: there is no such file, or nothing in it */
static bool read_text(const char *folder, const char *name, char ret[TEXT_BYTES])
{
    FILE *file = open_file(folder, name, "r");
    size_t bytes = file != NULL ? fread(ret, 1, TEXT_BYTES - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    while (bytes > 0 && ret[bytes - 1] == '\n')
        bytes--;
    ret[bytes] = '\0';
    return bytes > 0;
}

/* ---- made once ---- */

static enum status make_secret(const char *folder, const char *name, const char *prefix, char ret[TEXT_BYTES],
                               struct err *e)
{
    unsigned char bytes[SECRET_BYTES];
    char encoded[64];
    if (read_text(folder, name, ret))
        return OK;
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(encoded, sizeof encoded, bytes, sizeof bytes, sodium_base64_VARIANT_ORIGINAL);
    snprintf(ret, TEXT_BYTES, "%s%s", prefix, encoded);
    return write_text(folder, name, ret, e);
}

/* *made NULL: the key could not be made */
static enum status make_key(const char *folder, const char *name, EVP_PKEY *made, EVP_PKEY **ret, struct err *e)
{
    FILE *file = open_file(folder, name, "w");
    bool written = file != NULL && made != NULL && PEM_write_PrivateKey(file, made, NULL, NULL, 0, NULL, NULL) == 1;
    if (file != NULL && fclose(file) != 0)
        written = false;
    if (!written) {
        EVP_PKEY_free(made);
        return err_set(e, E_IO, "%s/%s: cannot be written", folder, name);
    }
    *ret = made;
    return OK;
}

static EVP_PKEY *read_key(const char *folder, const char *name)
{
    FILE *file = open_file(folder, name, "r");
    EVP_PKEY *key = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file != NULL)
        fclose(file);
    return key;
}

static enum status write_public(const char *folder, EVP_PKEY *key, struct err *e)
{
    unsigned char der[256], *at = der;
    char encoded[512];
    int bytes = i2d_PUBKEY(key, NULL);
    if (bytes < 1 || (size_t)bytes > sizeof der || i2d_PUBKEY(key, &at) != bytes)
        return err_set(e, E_IO, "the public key of sendgrid cannot be written");
    sodium_bin2base64(encoded, sizeof encoded, der, (size_t)bytes, sodium_base64_VARIANT_ORIGINAL);
    return write_text(folder, "sendgrid.public", encoded, e);
}

/* As text; "": it failed */
static void make_certificate(EVP_PKEY *key, char ret[TEXT_BYTES])
{
    X509 *x = X509_new();
    BIO *out = BIO_new(BIO_s_mem());
    int bytes = 0;
    if (x != NULL && out != NULL && X509_set_version(x, 2) == 1) {
        X509_NAME *name = X509_get_subject_name(x);
        ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
        X509_gmtime_adj(X509_getm_notBefore(x), -86400);
        X509_gmtime_adj(X509_getm_notAfter(x), 86400L * CERTIFICATE_DAYS);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"sns.amazonaws.com", -1, -1, 0);
        X509_set_issuer_name(x, name);
        X509_set_pubkey(x, key);
        if (X509_sign(x, key, EVP_sha256()) > 0 && PEM_write_bio_X509(out, x) == 1)
            bytes = BIO_read(out, ret, TEXT_BYTES - 1);
    }
    ret[bytes > 0 ? bytes : 0] = '\0';
    BIO_free(out);
    X509_free(x);
}

static enum status open_sendgrid(const char *folder, struct keys *k, struct err *e)
{
    k->sendgrid = read_key(folder, "sendgrid.pem");
    if (k->sendgrid != NULL)
        return OK;
    enum status st = make_key(folder, "sendgrid.pem", EVP_EC_gen("P-256"), &k->sendgrid, e);
    return st == OK ? write_public(folder, k->sendgrid, e) : st;
}

static enum status open_sns(const char *folder, struct keys *k, struct err *e)
{
    k->sns = read_key(folder, "sns.pem");
    if (k->sns != NULL && read_text(folder, "sns.crt", k->certificate))
        return OK;
    enum status st = k->sns != NULL ? OK : make_key(folder, "sns.pem", EVP_RSA_gen(2048), &k->sns, e);
    if (st != OK)
        return st;
    make_certificate(k->sns, k->certificate);
    return write_text(folder, "sns.crt", k->certificate, e);
}

enum status keys_open(const char *folder, struct keys **ret, struct err *e)
{
    struct keys *k = calloc(1, sizeof *k);
    if (k == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    enum status st = OK;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        st = err_set(e, E_IO, "%s: %s", folder, strerror(errno));
    if (st == OK)
        st = open_sendgrid(folder, k, e);
    if (st == OK)
        st = open_sns(folder, k, e);
    if (st == OK)
        st = make_secret(folder, "mailgun.secret", "", k->mailgun, e);
    if (st == OK)
        st = make_secret(folder, "resend.secret", "whsec_", k->resend, e);
    if (st == OK)
        st = make_secret(folder, "postmark.secret", "sandbox:", k->postmark, e);
    if (st == OK)
        *ret = k;
    else
        keys_free(k);
    return st;
}

void keys_free(struct keys *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_free(k->sendgrid);
    EVP_PKEY_free(k->sns);
    free(k);
}

const char *keys_certificate(const struct keys *k)
{
    return k->certificate;
}

const char *keys_postmark(const struct keys *k)
{
    return k->postmark;
}

/* ---- signing ---- */

static void encode(const unsigned char *bytes, size_t count, char ret[KEYS_SIGNATURE_BYTES])
{
    sodium_bin2base64(ret, KEYS_SIGNATURE_BYTES, bytes, count, sodium_base64_VARIANT_ORIGINAL);
}

static void sign_sha256(EVP_PKEY *key, const char *text, size_t bytes, char ret[KEYS_SIGNATURE_BYTES])
{
    unsigned char signature[256];
    size_t count = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ret[0] = '\0';
    if (context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestSign(context, signature, &count, (const unsigned char *)text, bytes) == 1)
        encode(signature, count, ret);
    EVP_MD_CTX_free(context);
}

void keys_sign_sendgrid(const struct keys *k, const char *text, size_t bytes, char ret[KEYS_SIGNATURE_BYTES])
{
    sign_sha256(k->sendgrid, text, bytes, ret);
}

void keys_sign_sns(const struct keys *k, const char *text, size_t bytes, char ret[KEYS_SIGNATURE_BYTES])
{
    sign_sha256(k->sns, text, bytes, ret);
}

void keys_sign_mailgun(const struct keys *k, const char *text, char ret[KEYS_SIGNATURE_BYTES])
{
    unsigned char mac[32];
    HMAC(EVP_sha256(), k->mailgun, (int)strlen(k->mailgun), (const unsigned char *)text, strlen(text), mac, NULL);
    sodium_bin2hex(ret, KEYS_SIGNATURE_BYTES, mac, sizeof mac);
}

void keys_sign_resend(const struct keys *k, const char *text, size_t bytes, char ret[KEYS_SIGNATURE_BYTES])
{
    unsigned char secret[64], mac[32];
    size_t count = 0;
    sodium_base642bin(secret, sizeof secret, k->resend + strlen("whsec_"), strlen(k->resend) - strlen("whsec_"), NULL,
                      &count, NULL, sodium_base64_VARIANT_ORIGINAL);
    HMAC(EVP_sha256(), secret, (int)count, (const unsigned char *)text, bytes, mac, NULL);
    encode(mac, sizeof mac, ret);
}
