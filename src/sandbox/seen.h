/* seen: what came through the providers' APIs, so that their look-ups can find it again: Postmark by its metadata
 * field fu_id, Mailgun by Message-ID, Resend by its id.
 *
 * Ownership  the messages' documents are referenced, not copied. Bound: SEEN_MAX messages. Cost O(1). */
#ifndef SANDBOX_SEEN_H
#define SANDBOX_SEEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "followupd/base/status.h"
#include "message.h"

#define SEEN_MAX 1000000

struct seen;

struct seen_message {
    struct message message; /* borrowed from the index, which holds its document */
    int64_t seq, at_us;
    const struct seen_message *older; /* with the same key */
};

struct seen *seen_new(void); /* NULL: out of memory */
void seen_free(struct seen *s);
bool seen_full(const struct seen *s);
/* Of the generic API or without what it is looked up by: nothing happens. E_NOMEM. */
MUST_USE enum status seen_add(struct seen *s, const struct message *m, int64_t seq, int64_t at_us);
/* The youngest; NULL: none. */
const struct seen_message *seen_find(const struct seen *s, const char *api, const char *key);

#endif
