/* registry: the providers of the configuration, by name. Built once at the start; a reload changes limits and keys.
 *
 * Ownership  the registry copies the configuration; what registry_at and registry_find return lives as long as it.
 * Errors     registry_new names the provider and what is wrong with it: an unknown type, no url, a scheme that is not
 *            http or https, a control character, what its type needs and what has no meaning for it, an unknown region,
 *            a limit that is not positive, a name twice. */
#ifndef FOLLOWUPD_PROVIDER_REGISTRY_H
#define FOLLOWUPD_PROVIDER_REGISTRY_H

#include <stddef.h>

#include "followupd/provider/provider.h"

#define REGISTRY_PROVIDERS_MAX 32

struct registry;

struct provider {
    struct provider_config config; /* its url is never NULL */
    const struct provider_type *type;
    char *send_url; /* where messages are posted */
};

MUST_USE enum status registry_new(const struct provider_config *configs, size_t count, struct registry **ret,
                                  struct err *e);
/* Takes key, access_key, session_token, rate and concurrency_max of each provider over from fresh, which has the same ones in the same order and is
 * left with what was replaced. What registry_at answered shows the new values; nobody may hold on to the text of a key. */
void registry_adopt(struct registry *r, struct registry *fresh);
void registry_free(struct registry *r);
size_t registry_count(const struct registry *r);
const struct provider *registry_at(const struct registry *r, size_t i);
/* The index for registry_at; -1: no provider of that name. */
int registry_find(const struct registry *r, const char *name);

#endif
