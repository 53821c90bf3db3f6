/* registry: the providers of the configuration, by name. Built once at the start, then only read.
 *
 * Ownership  the registry copies the configuration; what registry_at and registry_find return lives as long as it.
 * Errors     registry_new names the provider and what is wrong with it: an unknown type, no url, a scheme that is not
 *            http or https, a control character in url or key, a limit that is not positive, a name twice. */
#ifndef FOLLOWUPD_PROVIDER_REGISTRY_H
#define FOLLOWUPD_PROVIDER_REGISTRY_H

#include <stddef.h>

#include "followupd/provider/provider.h"

#define REGISTRY_PROVIDERS_MAX 32

struct registry;

struct provider {
    struct provider_config config;
    const struct provider_type *type;
};

MUST_USE enum status registry_new(const struct provider_config *configs, size_t count, struct registry **ret,
                                  struct err *e);
void registry_free(struct registry *r);
size_t registry_count(const struct registry *r);
const struct provider *registry_at(const struct registry *r, size_t i);
/* The index for registry_at; -1: no provider of that name. */
int registry_find(const struct registry *r, const char *name);

#endif
