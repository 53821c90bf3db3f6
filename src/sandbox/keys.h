/* keys: what the sandbox signs its webhooks with, as the five providers would. Made at the first start in a folder and
 * read again by the next; what a receiver needs lies beside:
 *
 *     sendgrid.public   base64 DER of the ECDSA P-256 key      sendgrid.pem   its private half
 *     mailgun.secret    the webhook signing key                resend.secret  whsec_...
 *     postmark.secret   user:password                          sns.crt, sns.pem   certificate and RSA key
 *
 * Threads  the signing functions only read: any number at once. Errors: E_IO with the file's name. */
#ifndef SANDBOX_KEYS_H
#define SANDBOX_KEYS_H

#include <stddef.h>

#include "followupd/base/status.h"

#define KEYS_SIGNATURE_BYTES 512
#define KEYS_TOPIC_ARN       "arn:aws:sns:us-east-1:123456789012:followup-sandbox"
/* Served by the sandbox itself under its path, for a receiver that is told to fetch certificates there. */
#define KEYS_CERTIFICATE_PATH "/SimpleNotificationService-sandbox.pem"
#define KEYS_CERTIFICATE_URL  "https://sns.us-east-1.amazonaws.com" KEYS_CERTIFICATE_PATH

struct keys;

MUST_USE enum status keys_open(const char *folder, struct keys **ret, struct err *e);
void keys_free(struct keys *k);                     /* NULL is fine */
const char *keys_certificate(const struct keys *k); /* PEM */
const char *keys_postmark(const struct keys *k);    /* user:password */
/* Base64 but for Mailgun's, which is hex. "": it failed. */
void keys_sign_sendgrid(const struct keys *k, const char *text, size_t bytes, char ret[KEYS_SIGNATURE_BYTES]);
void keys_sign_mailgun(const struct keys *k, const char *text, char ret[KEYS_SIGNATURE_BYTES]);
void keys_sign_resend(const struct keys *k, const char *text, size_t bytes, char ret[KEYS_SIGNATURE_BYTES]);
void keys_sign_sns(const struct keys *k, const char *text, size_t bytes, char ret[KEYS_SIGNATURE_BYTES]);

#endif
