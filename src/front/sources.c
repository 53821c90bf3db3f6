#include "followupd/front/sources.h"

#include <stdlib.h>
#include <string.h>

struct sources {
    struct source *all;
    size_t count;
    unsigned references;
};

struct sources *sources_new(void)
{
    struct sources *s = calloc(1, sizeof *s);
    if (s != NULL)
        s->references = 1;
    return s;
}

enum status sources_add(struct sources *s, const char *name, int64_t account_id, struct webhook_source *webhook,
                        const char *classifier_url, int64_t classifier_timeout_ms)
{
    char *copy = strdup(name), *url = classifier_url != NULL ? strdup(classifier_url) : NULL;
    struct source *all = realloc(s->all, (s->count + 1) * sizeof *all);
    if (all != NULL)
        s->all = all;
    if (copy == NULL || all == NULL || (classifier_url != NULL && url == NULL)) {
        free(copy);
        free(url);
        webhook_source_free(webhook);
        return E_NOMEM;
    }
    s->all[s->count++] = (struct source){ copy, account_id, webhook, url, classifier_timeout_ms };
    return OK;
}

const struct source *sources_find(const struct sources *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->all[i].name, name) == 0)
            return &s->all[i];
    }
    return NULL;
}

struct sources *sources_ref(struct sources *s)
{
    s->references++;
    return s;
}

void sources_unref(struct sources *s)
{
    if (s == NULL || --s->references > 0)
        return;
    for (size_t i = 0; i < s->count; i++) {
        free(s->all[i].name);
        free(s->all[i].classifier_url);
        webhook_source_free(s->all[i].webhook);
    }
    free(s->all);
    free(s);
}
