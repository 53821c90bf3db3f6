/* sigv4: is a request signed as AWS Signature Version 4 says? Computed anew from the bytes that came and the secret.
 *
 * credential "ACCESS_KEY:SECRET"; any region, that service only. The date may be SIGV4_SKEW_S off either way; host and
 * x-amz-date must be among the signed headers. A query may hold what
 * SES's suppression list is asked by, and nothing else. */
#ifndef SANDBOX_SIGV4_H
#define SANDBOX_SIGV4_H

#include <stdbool.h>

#include "followupd/base/clock.h"

#define SIGV4_SKEW_S       300
#define SIGV4_REGION_BYTES 48

struct exchange;

bool sigv4_verify(const struct exchange *x, const char *credential, const char *service, struct wall now);
/* The region that a request is signed for; empty: it is not signed. */
void sigv4_region(const struct exchange *x, char ret[SIGV4_REGION_BYTES]);

#endif
