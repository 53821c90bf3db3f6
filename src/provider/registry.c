#include "followupd/provider/registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "followupd/base/list.h"

static const struct provider_type *const types[] = { &provider_generic };

struct registry {
    struct provider providers[REGISTRY_PROVIDERS_MAX];
    size_t count;
};

static const struct provider_type *find_type(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    }
    return NULL;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    }
    return false;
}

static enum status check(const struct registry *r, const struct provider_config *c, struct err *e)
{
    if (c->name == NULL || c->name[0] == '\0')
        return err_set(e, E_INVALID, "a provider has no name");
    if (registry_find(r, c->name) >= 0)
        return err_set(e, E_INVALID, "provider %s: configured twice", c->name);
    if (c->type == NULL || find_type(c->type) == NULL)
        return err_set(e, E_INVALID, "provider %s: type is '%s', known is: generic", c->name,
                       c->type != NULL ? c->type : "");
    if (c->url == NULL || c->url[0] == '\0')
        return err_set(e, E_INVALID, "provider %s: url is missing", c->name);
    if (strncasecmp(c->url, "http://", 7) != 0 && strncasecmp(c->url, "https://", 8) != 0)
        return err_set(e, E_INVALID, "provider %s: url must begin with http:// or https://", c->name);
    if (has_control(c->url) || (c->key != NULL && has_control(c->key)))
        return err_set(e, E_INVALID, "provider %s: a control character in its url or key", c->name);
    if (!(c->rate_per_s >= 0))
        return err_set(e, E_INVALID, "provider %s: rate must not be negative", c->name);
    if (c->concurrency_max < 1)
        return err_set(e, E_INVALID, "provider %s: concurrency_max must be at least 1", c->name);
    if (c->timeout_ms < 1)
        return err_set(e, E_INVALID, "provider %s: timeout must be at least 1 ms", c->name);
    return OK;
}

static enum status add(struct registry *r, const struct provider_config *c, struct err *e)
{
    struct provider *p = &r->providers[r->count];
    p->type = find_type(c->type);
    p->config = *c;
    p->config.name = strdup(c->name);
    p->config.type = p->type->name;
    p->config.url = strdup(c->url);
    p->config.key = c->key != NULL ? strdup(c->key) : NULL;
    r->count++; /* registry_free frees what was copied */
    if (p->config.name == NULL || p->config.url == NULL || (c->key != NULL && p->config.key == NULL))
        return err_set(e, E_NOMEM, "out of memory for the providers");
    return OK;
}

enum status registry_new(const struct provider_config *configs, size_t count, struct registry **ret, struct err *e)
{
    if (count > REGISTRY_PROVIDERS_MAX)
        return err_set(e, E_LIMIT, "%zu providers are configured; at most %d are possible", count,
                       REGISTRY_PROVIDERS_MAX);
    struct registry *r = calloc(1, sizeof *r);
    if (r == NULL)
        return err_set(e, E_NOMEM, "out of memory for the providers");
    enum status st = OK;
    for (size_t i = 0; i < count && st == OK; i++) {
        st = check(r, &configs[i], e);
        if (st == OK)
            st = add(r, &configs[i], e);
    }
    if (st == OK) {
        *ret = r;
        r = NULL;
    }
    registry_free(r);
    return st;
}

void registry_adopt(struct registry *r, struct registry *fresh)
{
    assert(r->count == fresh->count);
    for (size_t i = 0; i < r->count; i++) {
        struct provider_config *c = &r->providers[i].config, *f = &fresh->providers[i].config;
        assert(strcmp(c->name, f->name) == 0);
        const char *key = c->key;
        c->key = f->key;
        f->key = key; /* wiped with fresh */
        c->rate_per_s = f->rate_per_s;
        c->concurrency_max = f->concurrency_max;
    }
}

void registry_free(struct registry *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++) {
        const struct provider_config *c = &r->providers[i].config;
        if (c->key != NULL)
            explicit_bzero((char *)c->key, strlen(c->key));
        free((char *)c->name);
        free((char *)c->url);
        free((char *)c->key);
    }
    free(r);
}

size_t registry_count(const struct registry *r)
{
    return r->count;
}

const struct provider *registry_at(const struct registry *r, size_t i)
{
    return &r->providers[i];
}

int registry_find(const struct registry *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++) {
        if (strcmp(r->providers[i].config.name, name) == 0)
            return (int)i;
    }
    return -1;
}
