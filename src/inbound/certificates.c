/* The public keys of SNS by the URL of their certificate. Amazon changes it about once a year. */
#include <stdlib.h>
#include <string.h>

#include "source.h"

struct certificate {
    char url[WEBHOOK_URL_BYTES_MAX + 1];
    struct public_key *key; /* owned; NULL: the place is free */
};

struct webhook_certificates {
    struct certificate places[WEBHOOK_CERTIFICATES_MAX];
    size_t next; /* where the next one goes: the oldest */
};

struct webhook_certificates *webhook_certificates_new(void)
{
    return calloc(1, sizeof(struct webhook_certificates));
}

void webhook_certificates_free(struct webhook_certificates *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < WEBHOOK_CERTIFICATES_MAX; i++)
        public_key_free(c->places[i].key);
    free(c);
}

static size_t place_of(const struct webhook_certificates *c, const char *url)
{
    size_t i = 0;
    while (i < WEBHOOK_CERTIFICATES_MAX && (c->places[i].key == NULL || strcmp(c->places[i].url, url) != 0))
        i++;
    return i;
}

const struct public_key *webhook_certificates_find(const struct webhook_certificates *c, const char *url)
{
    size_t i = c != NULL ? place_of(c, url) : WEBHOOK_CERTIFICATES_MAX;
    return i < WEBHOOK_CERTIFICATES_MAX ? c->places[i].key : NULL;
}

enum status webhook_certificates_put(struct webhook_certificates *c, const char *url, const void *pem, size_t bytes,
                                     struct err *e)
{
    if (strlen(url) > WEBHOOK_URL_BYTES_MAX || bytes > WEBHOOK_CERTIFICATE_BYTES)
        return err_set(e, E_LIMIT, "a certificate of %zu bytes, or its URL, is over the limit", bytes);
    struct public_key *key;
    enum status st = public_key_of_certificate(pem, bytes, &key, e);
    if (st != OK)
        return st;
    size_t i = place_of(c, url);
    if (i == WEBHOOK_CERTIFICATES_MAX) {
        i = c->next;
        c->next = (c->next + 1) % WEBHOOK_CERTIFICATES_MAX;
    }
    public_key_free(c->places[i].key);
    c->places[i].key = key;
    strcpy(c->places[i].url, url);
    return OK;
}
