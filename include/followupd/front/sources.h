/* sources: who may send webhooks, by the NAME of the [webhook.NAME] section. Made anew at every reload; requests that are
 * being looked at keep the set that they began with.
 *
 * Threads  sources_ref and sources_unref on the loop alone; what a set holds does not change. */
#ifndef FOLLOWUPD_FRONT_SOURCES_H
#define FOLLOWUPD_FRONT_SOURCES_H

#include <stddef.h>
#include <stdint.h>

#include "followupd/base/status.h"
#include "followupd/inbound/webhook.h"

struct sources;

struct source {
    char *name;
    int64_t account_id; /* 0: any */
    struct webhook_source *webhook;
    char *classifier_url; /* NULL: nobody is asked about replies */
    int64_t classifier_timeout_ms;
};

/* With one reference. NULL: out of memory. */
struct sources *sources_new(void);
/* webhook is taken, also on failure; the texts are copied. E_NOMEM. */
MUST_USE enum status sources_add(struct sources *s, const char *name, int64_t account_id,
                                 struct webhook_source *webhook, const char *classifier_url,
                                 int64_t classifier_timeout_ms);
const struct source *sources_find(const struct sources *s, const char *name); /* NULL: none */
struct sources *sources_ref(struct sources *s);
void sources_unref(struct sources *s); /* NULL is fine */

#endif
