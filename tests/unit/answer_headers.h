/* answer_headers: the headers of an answer that no transport brought. */
#ifndef TESTS_ANSWER_HEADERS_H
#define TESTS_ANSWER_HEADERS_H

#include <strings.h>

#include "followupd/provider/transport.h"

#define ANSWER_HEADERS_MAX 4

struct answer_headers {
    struct {
        const char *name, *value; /* a value that is NULL: not there */
    } all[ANSWER_HEADERS_MAX];
};

static inline const char *answer_header_find(void *headers, const char *name)
{
    const struct answer_headers *h = headers;
    for (size_t i = 0; i < ANSWER_HEADERS_MAX; i++) {
        if (h->all[i].name != NULL && strcasecmp(h->all[i].name, name) == 0)
            return h->all[i].value;
    }
    return NULL;
}

#endif
