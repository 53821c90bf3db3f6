/* sdk_request: what an SDK sent (tests/data/sdk-requests), and what arrived at the test's server, in one shape, so that
 * they can be compared. Names of headers in any case. */
#ifndef TESTS_SDK_REQUEST_H
#define TESTS_SDK_REQUEST_H

#include <jansson.h>

struct sdk_request {
    json_t *file; /* owned: the whole file of an SDK's request; NULL for one that arrived */
    char method[8], target[512];
    char headers[8192]; /* "Name: value\r\n" each */
    json_t *body;       /* owned: the JSON, or the form's fields as an object of strings; NULL: none */
    char raw[16384];    /* the body's bytes */
};

void sdk_request_load(const char *name, struct sdk_request *ret); /* "resend-send" */
void sdk_request_read(const char *arrived, struct sdk_request *ret);
void sdk_request_fini(struct sdk_request *r);
/* Into ret, "" when it is not there. */
void sdk_request_header(const struct sdk_request *r, const char *name, char *ret, size_t bytes);

/* The signature that a request of that secret should have (AWS Signature Version 4), from its own headers. */
void sdk_request_signature(const struct sdk_request *r, const char *secret, char ret[65]);

#endif
