#include "followupd/provider/registry.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "followupd/base/list.h"

static const struct provider_type *const types[] = { &provider_generic,  &provider_sendgrid, &provider_mailgun,
                                                     &provider_postmark, &provider_ses,      &provider_resend };
#define TYPE_NAMES "generic, sendgrid, mailgun, postmark, ses, resend"

/* Every text of a configuration: all are copied, those a reload may change are taken over, a secret is wiped. */
static const struct text {
    size_t offset;
    const char *name;
    unsigned field; /* enum provider_field; 0: of every type */
    bool reloadable, secret;
    bool word; /* of letters, digits and ._- alone: it becomes part of a URL or of a header */
} texts[] = {
    { offsetof(struct provider_config, name), "name", 0 },
    { offsetof(struct provider_config, url), "url", 0 },
    { offsetof(struct provider_config, key), "key_file", PROVIDER_KEY, .reloadable = true, .secret = true },
    { offsetof(struct provider_config, domain), "domain", PROVIDER_DOMAIN, .word = true },
    { offsetof(struct provider_config, region), "region", PROVIDER_REGION, .word = true },
    { offsetof(struct provider_config, message_stream), "message_stream", PROVIDER_MESSAGE_STREAM, .word = true },
    { offsetof(struct provider_config, configuration_set), "configuration_set", PROVIDER_CONFIGURATION_SET,
      .word = true },
    { offsetof(struct provider_config, message_id_domain), "message_id_domain", PROVIDER_MESSAGE_ID_DOMAIN,
      .word = true },
    { offsetof(struct provider_config, access_key), "access_key", PROVIDER_ACCESS_KEY, .reloadable = true,
      .word = true },
    { offsetof(struct provider_config, session_token), "session_token_file", PROVIDER_SESSION_TOKEN, .reloadable = true,
      .secret = true },
};

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

static bool is_word(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

static const char **text_of(const struct provider_config *c, const struct text *t)
{
    return (const char **)((char *)c + t->offset);
}

static enum status check_texts(const struct provider_config *c, const struct provider_type *type, struct err *e)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct text *t = &texts[i];
        const char *value = *text_of(c, t);
        bool given = value != NULL && value[0] != '\0';
        if (!given && (type->needs & t->field) != 0)
            return err_set(e, E_INVALID, "provider %s: %s is missing: type %s needs it", c->name, t->name, type->name);
        if (given && t->field != 0 && ((type->takes | type->needs) & t->field) == 0)
            return err_set(e, E_INVALID, "provider %s: %s has no meaning for type %s", c->name, t->name, type->name);
        if (given && has_control(value))
            return err_set(e, E_INVALID, "provider %s: a control character in its %s", c->name, t->name);
        if (given && t->word && !is_word(value))
            return err_set(e, E_INVALID, "provider %s: %s has only letters, digits, '.', '_' and '-'", c->name,
                           t->name);
    }
    return OK;
}

static enum status check(const struct registry *r, const struct provider_config *c, struct err *e)
{
    if (c->name == NULL || c->name[0] == '\0')
        return err_set(e, E_INVALID, "a provider has no name");
    if (registry_find(r, c->name) >= 0)
        return err_set(e, E_INVALID, "provider %s: configured twice", c->name);
    const struct provider_type *type = c->type != NULL ? find_type(c->type) : NULL;
    if (type == NULL)
        return err_set(e, E_INVALID, "provider %s: type is '%s', known are: " TYPE_NAMES, c->name,
                       c->type != NULL ? c->type : "");
    if (type->add_url == NULL && (c->url == NULL || c->url[0] == '\0'))
        return err_set(e, E_INVALID, "provider %s: url is missing", c->name);
    if (c->url != NULL && strncasecmp(c->url, "http://", 7) != 0 && strncasecmp(c->url, "https://", 8) != 0)
        return err_set(e, E_INVALID, "provider %s: url must begin with http:// or https://", c->name);
    enum status st = check_texts(c, type, e);
    if (st != OK)
        return st;
    if (!(c->rate_per_s >= 0))
        return err_set(e, E_INVALID, "provider %s: rate must not be negative", c->name);
    if (c->concurrency_max < 1)
        return err_set(e, E_INVALID, "provider %s: concurrency_max must be at least 1", c->name);
    if (c->timeout_ms < 1)
        return err_set(e, E_INVALID, "provider %s: timeout must be at least 1 ms", c->name);
    return OK;
}

static void free_texts(struct provider_config *c)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char *value = (char *)*text_of(c, &texts[i]);
        if (value != NULL && texts[i].secret)
            explicit_bzero(value, strlen(value));
        free(value);
    }
}

/* Where messages go: the configured url or the type's own, and the type's path. */
static enum status find_place(struct provider *p, struct err *e)
{
    struct buf place;
    enum status st = OK;
    buf_init(&place, PROVIDER_URL_BYTES_MAX);
    if (p->config.url == NULL) {
        st = p->type->add_url(&p->config, &place, e);
        if (st == OK && (p->config.url = strdup(place.data)) == NULL)
            st = E_NOMEM;
    } else {
        st = buf_text(&place, p->config.url);
    }
    if (st == OK && p->type->add_path != NULL) {
        while (place.used > 0 && place.data[place.used - 1] == '/')
            place.data[--place.used] = '\0';
        st = p->type->add_path(&p->config, &place);
    }
    if (st == E_LIMIT)
        err_set(e, st, "provider %s: its url is longer than %d bytes", p->config.name, PROVIDER_URL_BYTES_MAX);
    else if (st == E_INVALID)
        err_prefix(e, st, "provider %s", p->config.name);
    p->send_url = st == OK ? buf_take(&place) : NULL;
    buf_fini(&place);
    return st == OK && p->send_url == NULL ? E_NOMEM : st;
}

static enum status add(struct registry *r, const struct provider_config *c, struct err *e)
{
    struct provider *p = &r->providers[r->count];
    p->type = find_type(c->type);
    p->config = *c;
    p->config.type = p->type->name;
    enum status st = OK;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *value = *text_of(c, &texts[i]);
        char *copy = value != NULL && value[0] != '\0' ? strdup(value) : NULL;
        if (value != NULL && value[0] != '\0' && copy == NULL)
            st = E_NOMEM;
        *text_of(&p->config, &texts[i]) = copy;
    }
    r->count++; /* registry_free frees what was copied */
    if (st == OK)
        st = find_place(p, e);
    return st == E_NOMEM ? err_set(e, st, "out of memory for the providers") : st;
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
        for (size_t t = 0; t < COUNT_OF(texts); t++) {
            if (!texts[t].reloadable)
                continue;
            const char *value = *text_of(c, &texts[t]);
            *text_of(c, &texts[t]) = *text_of(f, &texts[t]);
            *text_of(f, &texts[t]) = value; /* wiped with fresh */
        }
        c->rate_per_s = f->rate_per_s;
        c->concurrency_max = f->concurrency_max;
    }
}

void registry_free(struct registry *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++) {
        free_texts(&r->providers[i].config);
        free(r->providers[i].send_url);
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
