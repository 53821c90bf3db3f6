#include "seen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "followupd/base/list.h"
#include "keymap.h"

struct entry {
    struct keymap_node node;
    struct seen_message *youngest; /* owned, with the older ones */
    char key[];                    /* "<api> <what it is looked up by>" */
};

struct seen {
    struct keymap entries;
    size_t count;
};

#define KEY_BYTES (API_ID_BYTES + 32)

struct seen *seen_new(void)
{
    struct seen *s = calloc(1, sizeof *s);
    if (s != NULL && keymap_init(&s->entries) != OK) {
        free(s);
        return NULL;
    }
    return s;
}

static void entry_free(struct keymap_node *node)
{
    struct entry *entry = container_of(node, struct entry, node);
    while (entry->youngest != NULL) {
        struct seen_message *m = entry->youngest;
        entry->youngest = (struct seen_message *)m->older;
        message_fini(&m->message);
        free(m);
    }
    free(entry);
}

void seen_free(struct seen *s)
{
    if (s == NULL)
        return;
    keymap_fini(&s->entries, entry_free);
    free(s);
}

bool seen_full(const struct seen *s)
{
    return s->count >= SEEN_MAX;
}

static void write_key(const char *api, const char *key, char ret[KEY_BYTES])
{
    snprintf(ret, KEY_BYTES, "%s %s", api, key);
}

/* false: nobody can ask for it */
static bool key_of(const struct message *m, int64_t seq, char ret[KEY_BYTES])
{
    char id[API_ID_BYTES];
    const struct api *api = api_find(m->api);
    if (api == &api_postmark && m->fu_id != NULL) {
        write_key(m->api, m->fu_id, ret);
    } else if (api == &api_mailgun) {
        api_rfc_message_id(m, seq, id);
        id[strcspn(id, ">")] = '\0';
        write_key(m->api, id + (id[0] == '<'), ret);
    } else if (api == &api_resend) {
        api->id(m, seq, id);
        write_key(m->api, id, ret);
    } else {
        return false;
    }
    return true;
}

static struct entry *entry_of(struct seen *s, const char *key)
{
    struct keymap_node *node = keymap_find(&s->entries, key);
    if (node != NULL)
        return container_of(node, struct entry, node);
    size_t bytes = strlen(key) + 1;
    struct entry *entry = calloc(1, sizeof *entry + bytes);
    if (entry == NULL)
        return NULL;
    memcpy(entry->key, key, bytes);
    if (keymap_add(&s->entries, &entry->node, entry->key) != OK) {
        free(entry);
        return NULL;
    }
    return entry;
}

enum status seen_add(struct seen *s, const struct message *m, int64_t seq, int64_t at_us)
{
    char key[KEY_BYTES];
    if (!key_of(m, seq, key))
        return OK;
    struct entry *entry = entry_of(s, key);
    struct seen_message *one = entry != NULL ? calloc(1, sizeof *one) : NULL;
    if (one == NULL)
        return E_NOMEM; /* an entry without messages is found as none */
    *one = (struct seen_message){ .message = *m, .seq = seq, .at_us = at_us, .older = entry->youngest };
    json_incref(m->document);
    entry->youngest = one;
    s->count++;
    return OK;
}

const struct seen_message *seen_find(const struct seen *s, const char *api, const char *key)
{
    char text[KEY_BYTES];
    write_key(api, key, text);
    struct keymap_node *node = keymap_find(&s->entries, text);
    return node != NULL ? container_of(node, struct entry, node)->youngest : NULL;
}
