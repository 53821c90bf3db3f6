#include "followupd/conf/file.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "followupd/base/listener.h"
#include "followupd/conf/key.h"

#define KEYS_MAX             96  /* rows of the table; checked when reading starts */
#define PUBLIC_URL_BYTES_MAX 400 /* with /u/TOKEN it is a link, for which a letter has 512 */

/* Sections of which there are several. Their structs begin alike, with name and line. */
enum { PROVIDER, WEBHOOK, NAMED };
struct item {
    char name[CONF_NAME_BYTES_MAX + 1];
    int line;
};
static const struct named {
    const char *prefix, *what;
    size_t bytes, items_max;
    size_t items_offset, count_offset; /* in struct conf */
} named[NAMED] = {
    [PROVIDER] = { "provider.", "provider", sizeof(struct conf_provider), CONF_PROVIDERS_MAX,
                   offsetof(struct conf, providers), offsetof(struct conf, providers_count) },
    [WEBHOOK] = { "webhook.", "webhook", sizeof(struct conf_webhook), CONF_WEBHOOKS_MAX,
                  offsetof(struct conf, webhooks), offsetof(struct conf, webhooks_count) },
};
_Static_assert(offsetof(struct conf_provider, line) == offsetof(struct item, line), "begins like an item");
_Static_assert(offsetof(struct conf_webhook, line) == offsetof(struct item, line), "begins like an item");
_Static_assert(CONF_WEBHOOKS_MAX >= CONF_PROVIDERS_MAX, "lines_of_items has room for either");

/* One reading of one file. inih gives no line numbers, so the reader function that feeds it counts them. */
struct reading {
    const char *name; /* of the file, for messages */
    const char *at, *end;
    int line;
    int lines_of[KEYS_MAX];                                 /* where a key was set; 0: not yet */
    int lines_of_items[NAMED][CONF_WEBHOOKS_MAX][KEYS_MAX]; /* the same, an item */
    struct conf *conf;
    enum status status; /* the first failure; nothing is looked at after it */
    struct err *e;
};

/* --- where a value goes ----------------------------------------------------------------------------------------- */

/* Which of `named` a section is, or NAMED: there is one of it. */
static int named_of(const char *section)
{
    int n = 0;
    while (n < NAMED && strncmp(section, named[n].prefix, strlen(named[n].prefix)) != 0)
        n++;
    return n;
}

static size_t item_count(const struct conf *c, int n)
{
    return *(const size_t *)((const char *)c + named[n].count_offset);
}

static struct item *item_at(const struct conf *c, int n, size_t i)
{
    char *items = *(char *const *)((const char *)c + named[n].items_offset);
    return (struct item *)(items + i * named[n].bytes);
}

static size_t item_find(const struct conf *c, int n, const char *name)
{
    size_t i = 0;
    while (i < item_count(c, n) && strcmp(item_at(c, n, i)->name, name) != 0)
        i++;
    return i;
}

/* item: NULL where there is one section of it. */
static void *key_place(struct conf *c, struct item *item, const struct conf_key *key)
{
    return (item != NULL ? (char *)item : (char *)c) + key->offset;
}

static char *file_path(const char *text)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char *path = NULL;
    if (text[0] == '/' || folder == NULL || folder[0] == '\0')
        return strdup(text);
    return asprintf(&path, "%s/%s", folder, text) < 0 ? NULL : path;
}

static enum status value_store(void *place, const struct conf_key *key, const char *text, struct err *e)
{
    union conf_value value;
    enum status st;
    switch (key->kind) {
    case CONF_TEXT:
    case CONF_FILE:
        if (text[0] == '\0' && key->required)
            return err_set(e, E_INVALID, "is empty");
        if (strlen(text) > CONF_VALUE_BYTES_MAX)
            return err_set(e, E_INVALID, "is longer than %d bytes", CONF_VALUE_BYTES_MAX);
        char *copy = text[0] == '\0' ? NULL : key->kind == CONF_FILE ? file_path(text) : strdup(text);
        if (copy == NULL && text[0] != '\0')
            return err_set(e, E_NOMEM, "out of memory");
        free(*(char **)place); /* the default; nothing where it was empty */
        *(char **)place = copy;
        return OK;
    case CONF_DURATION:
    case CONF_COUNT:
    case CONF_RATE:
    case CONF_BOOLEAN:
    case CONF_ENUM:
        break;
    }
    st = conf_value_read(key, text, &value, e);
    if (st != OK)
        return st;
    if (key->kind == CONF_RATE)
        *(double *)place = value.rate;
    else if (key->kind == CONF_BOOLEAN)
        *(bool *)place = value.integer != 0;
    else if (key->kind == CONF_ENUM)
        *(int *)place = (int)value.integer;
    else
        *(int64_t *)place = value.integer;
    return OK;
}

/* n: NAMED with item NULL: of the sections of which there is one. */
static enum status defaults_set(struct conf *c, int n, struct item *item, struct err *e)
{
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (named_of(key->section) != n || key->fallback == NULL)
            continue;
        enum status st = value_store(key_place(c, item, key), key, key->fallback, e);
        if (st != OK)
            return st;
    }
    return OK;
}

/* --- lines, sections, keys -------------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void fail(struct reading *r, enum status st, const char *format, ...)
{
    char text[ERR_BYTES_MAX];
    va_list values;
    if (r->status != OK)
        return;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    r->status = err_set(r->e, st, "%s:%d: %s", r->name, r->line, text);
}

static void section_begin(struct reading *r, const char *section)
{
    struct conf *c = r->conf;
    int n = named_of(section);
    if (!conf_section_known(section)) {
        fail(r, E_INVALID, "unknown section [%s]", section);
        return;
    }
    if (n == NAMED)
        return;
    const char *name = section + strlen(named[n].prefix);
    size_t count = item_count(c, n);
    if (item_find(c, n, name) < count)
        return; /* a section may be opened twice; a key in it may not be set twice */
    if (name[0] == '\0' || strlen(name) > CONF_NAME_BYTES_MAX ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] != '\0') {
        fail(r, E_INVALID, "section [%s]: a %s's name has 1 to 30 letters, digits, '-' or '_'", section, named[n].what);
        return;
    }
    if (count == named[n].items_max) {
        fail(r, E_LIMIT, "section [%s]: there may be at most %zu %ss", section, named[n].items_max, named[n].what);
        return;
    }
    struct item *item = item_at(c, n, count);
    *(size_t *)((char *)c + named[n].count_offset) = count + 1;
    item->line = r->line;
    memcpy(item->name, name, strlen(name) + 1);
    enum status st = defaults_set(c, n, item, r->e);
    if (st != OK)
        r->status = st;
}

/* Looks at a line before inih does: inih cuts long lines and long section names without a word. */
static void line_check(struct reading *r, const char *line)
{
    char section[CONF_LINE_BYTES_MAX + 1];
    const char *end = strchr(line, ']');
    if (line[0] != '[' || end == NULL)
        return;
    memcpy(section, line + 1, (size_t)(end - line - 1));
    section[end - line - 1] = '\0';
    section_begin(r, section);
}

/* What inih reads lines with. Leading blanks go, so that no line continues the one before. */
static char *line_next(char *ret, int room, void *stream)
{
    struct reading *r = stream;
    if (r->at == r->end || r->status != OK)
        return NULL;
    r->line++;
    const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
    const char *line_end = newline != NULL ? newline : r->end;
    if (r->line == 1 && line_end - r->at >= 3 && memcmp(r->at, "\xEF\xBB\xBF", 3) == 0)
        r->at += 3;
    while (r->at < line_end && isspace((unsigned char)*r->at)) /* what inih skips, too */
        r->at++;
    size_t bytes = (size_t)(line_end - r->at);
    if (bytes > CONF_LINE_BYTES_MAX || bytes + 2 > (size_t)room) {
        fail(r, E_INVALID, "the line is longer than %d bytes", CONF_LINE_BYTES_MAX);
        return NULL;
    }
    if (memchr(r->at, '\0', bytes) != NULL) {
        fail(r, E_INVALID, "the line holds a NUL byte");
        return NULL;
    }
    memcpy(ret, r->at, bytes);
    memcpy(ret + bytes, "\n", 2);
    r->at = newline != NULL ? newline + 1 : r->end;
    line_check(r, ret);
    return r->status == OK ? ret : NULL;
}

static void key_set(struct reading *r, const char *section, const char *name, const char *text)
{
    struct conf *c = r->conf;
    const struct conf_key *key = conf_key_find(section, name);
    if (section[0] == '\0')
        fail(r, E_INVALID, "%s stands before the first [section]", name);
    else if (key == NULL)
        fail(r, E_INVALID, "[%s] %s: unknown key", section, name);
    if (r->status != OK)
        return;
    int n = named_of(section);
    size_t i = n < NAMED ? item_find(c, n, section + strlen(named[n].prefix)) : 0;
    if (n < NAMED && i == item_count(c, n)) { /* inih saw a section where line_check saw none */
        fail(r, E_INVALID, "section [%s]: something stands before it on its line", section);
        return;
    }
    struct item *item = n < NAMED ? item_at(c, n, i) : NULL;
    int *line = &(n < NAMED ? r->lines_of_items[n][i] : r->lines_of)[key - conf_keys];
    if (*line != 0) {
        fail(r, E_INVALID, "[%s] %s: is set twice, first on line %d", section, name, *line);
        return;
    }
    *line = r->line;
    enum status st = value_store(key_place(c, item, key), key, text, r->e);
    if (st != OK)
        r->status = err_prefix(r->e, st, "%s:%d: [%s] %s", r->name, r->line, section, name);
}

static int pair_read(void *user, const char *section, const char *name, const char *value)
{
    struct reading *r = user;
    if (r->status == OK)
        key_set(r, section, name, value);
    return r->status == OK;
}

/* --- what only the whole file shows ----------------------------------------------------------------------------- */

static int line_of(const struct reading *r, int n, size_t i, const char *name)
{
    return r->lines_of_items[n][i][conf_key_find(named[n].prefix, name) - conf_keys];
}

static enum status required_check(const struct reading *r, int n, size_t i)
{
    const struct item *item = item_at(r->conf, n, i);
    for (size_t k = 0; k < conf_keys_count; k++)
        if (named_of(conf_keys[k].section) == n && conf_keys[k].required && r->lines_of_items[n][i][k] == 0)
            return err_set(r->e, E_INVALID, "%s:%d: [%s%s] %s: is missing", r->name, item->line, named[n].prefix,
                           item->name, conf_keys[k].name);
    return OK;
}

static bool is_http(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

static enum status webhook_check(const struct reading *r, size_t i)
{
    struct conf_webhook *w = &r->conf->webhooks[i];
    w->secret_file_line = line_of(r, WEBHOOK, i, "secret_file");
    w->public_key_file_line = line_of(r, WEBHOOK, i, "public_key_file");
    if (w->classifier_url != NULL && !is_http(w->classifier_url))
        return err_set(r->e, E_INVALID, "%s:%d: [webhook.%s] classifier_url: must begin with http:// or https://",
                       r->name, line_of(r, WEBHOOK, i, "classifier_url"), w->name);
    return required_check(r, WEBHOOK, i);
}

static enum status provider_check(const struct reading *r, size_t i)
{
    struct conf_provider *p = &r->conf->providers[i];
    enum status st = required_check(r, PROVIDER, i);
    if (st != OK)
        return st;
    p->key_file_line = line_of(r, PROVIDER, i, "key_file");
    p->session_token_file_line = line_of(r, PROVIDER, i, "session_token_file");
    if (p->type == CONF_PROVIDER_GENERIC && p->url == NULL)
        return err_set(r->e, E_INVALID, "%s:%d: [provider.%s] url: is missing", r->name, p->line, p->name);
    if (p->url != NULL && !is_http(p->url))
        return err_set(r->e, E_INVALID, "%s:%d: [provider.%s] url: must begin with http:// or https://", r->name,
                       line_of(r, PROVIDER, i, "url"), p->name);
    if (p->timeout_ms >= r->conf->settle_after_ms)
        return err_set(r->e, E_INVALID,
                       "%s:%d: [provider.%s] timeout: must be shorter than [engine] settle_after (%lld ms)", r->name,
                       p->line, p->name, (long long)r->conf->settle_after_ms);
    return OK;
}

/* As render/header.h takes a link; a message with another is not sent. */
static bool is_link_text(const char *url)
{
    while (*url > ' ' && *url < 0x7f && strchr("<>\"\\", *url) == NULL)
        url++;
    return *url == '\0';
}

/* Whatever is wrong with it breaks the way out of mails that have left: /u/TOKEN is written behind it. NULL: nothing. */
static const char *public_url_wrong(const char *url)
{
    if (!is_http(url))
        return "must begin with http:// or https://";
    if (strpbrk(url, "?# \t") != NULL)
        return "may hold no '?', no '#' and no blank: /u/TOKEN is added to it";
    if (!is_link_text(url))
        return "may hold only ASCII, and no '<', '>', '\"' or '\\': it is part of a link (other letters: xn--... and "
               "%XX)";
    if (url[strlen(url) - 1] == '/')
        return "may not end in '/': /u/TOKEN is added to it";
    if (strlen(url) > PUBLIC_URL_BYTES_MAX)
        return "is too long for a link in a mail (400 bytes)";
    return NULL;
}

static enum status whole_check(struct reading *r)
{
    struct conf *c = r->conf;
    int provider_line = r->lines_of[conf_key_find("engine", "provider") - conf_keys];
    int margin_line = r->lines_of[conf_key_find("engine", "lease_margin") - conf_keys];
    if (margin_line == 0 && 2 * c->lease_margin_ms > c->lease_ms)
        c->lease_margin_ms = c->lease_ms / 5; /* a short lease brings a short margin, unless one was asked for */
    if (2 * c->lease_margin_ms > c->lease_ms)
        return err_set(r->e, E_INVALID, "%s:%d: [engine] lease_margin: may be at most half of lease (%lld ms)", r->name,
                       margin_line, (long long)c->lease_ms);
    int listen_line = r->lines_of[conf_key_find("http", "listen") - conf_keys];
    c->listen_asked = listen_line != 0;
    enum status listen_st = c->listen != NULL ? listener_check(c->listen, r->e) : OK;
    if (listen_st != OK)
        return err_prefix(r->e, listen_st, "%s:%d: [http]", r->name, listen_line);
    if (c->reconnect_min_ms > c->reconnect_max_ms) {
        int min_line = r->lines_of[conf_key_find("database", "reconnect_min") - conf_keys];
        int max_line = r->lines_of[conf_key_find("database", "reconnect_max") - conf_keys];
        return err_set(r->e, E_INVALID, "%s:%d: [database] reconnect_min: is longer than reconnect_max", r->name,
                       min_line != 0 ? min_line : max_line);
    }
    const char *bad_url = c->public_url != NULL ? public_url_wrong(c->public_url) : NULL;
    if (bad_url != NULL)
        return err_set(r->e, E_INVALID, "%s:%d: [http] public_url: %s", r->name,
                       r->lines_of[conf_key_find("http", "public_url") - conf_keys], bad_url);
    for (size_t i = 0; i < c->providers_count; i++) {
        enum status st = provider_check(r, i);
        if (st != OK)
            return st;
    }
    for (size_t i = 0; i < c->webhooks_count; i++) {
        enum status st = webhook_check(r, i);
        if (st != OK)
            return st;
    }
    if (c->providers_count == 0)
        return err_set(r->e, E_INVALID, "%s: there is no [provider.NAME] section: nothing could be sent", r->name);
    if (c->provider == NULL && c->providers_count > 1)
        return err_set(r->e, E_INVALID, "%s: [engine] provider: is missing: name one of the %zu providers", r->name,
                       c->providers_count);
    if (c->provider == NULL && (c->provider = strdup(c->providers[0].name)) == NULL)
        return err_set(r->e, E_NOMEM, "out of memory");
    if (conf_provider_find(c, c->provider) == NULL)
        return err_set(r->e, E_INVALID, "%s:%d: [engine] provider: there is no section [provider.%s]", r->name,
                       provider_line, c->provider);
    return OK;
}

/* --- the calls -------------------------------------------------------------------------------------------------- */

static struct conf *conf_new(struct err *e)
{
    struct conf *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->providers = calloc(CONF_PROVIDERS_MAX, sizeof *c->providers);
    c->webhooks = calloc(CONF_WEBHOOKS_MAX, sizeof *c->webhooks);
    if (c->providers == NULL || c->webhooks == NULL || defaults_set(c, NAMED, NULL, e) != OK) {
        conf_free(c);
        return NULL;
    }
    return c;
}

enum status conf_parse(const char *name, const char *text, size_t bytes, struct conf **ret, struct err *e)
{
    if (conf_keys_count > KEYS_MAX)
        return err_set(e, E_LIMIT, "the table of keys has more than %d rows", KEYS_MAX);
    if (bytes > CONF_BYTES_MAX)
        return err_set(e, E_LIMIT, "%s: is larger than %d bytes", name, CONF_BYTES_MAX);
    struct conf *c = conf_new(e);
    if (c == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    struct reading *r = calloc(1, sizeof *r);
    enum status st = E_NOMEM;
    if (r == NULL) {
        err_set(e, E_NOMEM, "out of memory");
        goto out;
    }
    *r = (struct reading){ .name = name, .at = text, .end = text + bytes, .conf = c, .e = e };
    ini_max_line = CONF_LINE_BYTES_MAX + 8;
    ini_use_stack = true;
    ini_allow_inline_comments = false; /* they would cut a password that holds " ;", without a word */
    int bad_line = ini_parse_stream(line_next, r, pair_read, r);
    if (r->status == OK && bad_line > 0)
        r->status = err_set(e, E_INVALID, "%s:%d: is neither [section] nor key = value", name, bad_line);
    st = r->status == OK ? whole_check(r) : r->status;
    if (st != OK)
        goto out;
    *ret = c;
    c = NULL;
out:
    free(r);
    conf_free(c);
    return st;
}

enum status conf_load(const char *path, struct conf **ret, struct err *e)
{
    enum status st = OK;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set(e, E_IO, "%s: %s", path, strerror(errno));
    char *text = malloc(CONF_BYTES_MAX + 1);
    if (text == NULL) {
        st = err_set(e, E_NOMEM, "out of memory");
        goto out;
    }
    size_t bytes = fread(text, 1, CONF_BYTES_MAX + 1, file);
    if (ferror(file))
        st = err_set(e, E_IO, "%s: %s", path, strerror(errno));
    else
        st = conf_parse(path, text, bytes, ret, e);
out:
    free(text);
    fclose(file);
    return st;
}

void conf_free(struct conf *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (key->kind != CONF_TEXT && key->kind != CONF_FILE)
            continue;
        int n = named_of(key->section);
        if (n == NAMED)
            free(*(char **)key_place(c, NULL, key));
        for (size_t item = 0; n < NAMED && item < item_count(c, n); item++)
            free(*(char **)key_place(c, item_at(c, n, item), key));
    }
    free(c->providers);
    free(c->webhooks);
    free(c);
}

const struct conf_provider *conf_provider_find(const struct conf *c, const char *name)
{
    size_t i = item_find(c, PROVIDER, name);
    return i < c->providers_count ? &c->providers[i] : NULL;
}

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool value_equal(const struct conf_key *key, const void *a, const void *b)
{
    switch (key->kind) {
    case CONF_TEXT:
    case CONF_FILE:
        return text_equal(*(char *const *)a, *(char *const *)b);
    case CONF_RATE:
        return *(const double *)a == *(const double *)b;
    case CONF_BOOLEAN:
        return *(const bool *)a == *(const bool *)b;
    case CONF_ENUM:
        return *(const int *)a == *(const int *)b;
    case CONF_DURATION:
    case CONF_COUNT:
        break;
    }
    return *(const int64_t *)a == *(const int64_t *)b;
}

enum status conf_may_reload(const struct conf *old, const struct conf *fresh, struct err *e)
{
    for (size_t p = 0; p < old->providers_count || p < fresh->providers_count; p++)
        if (p >= old->providers_count || p >= fresh->providers_count ||
            strcmp(old->providers[p].name, fresh->providers[p].name) != 0)
            return err_set(e, E_INVALID, "the list of providers changed: that takes a restart");
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (key->reloadable)
            continue;
        if (!conf_section_is_provider(key->section)) {
            if (!value_equal(key, (const char *)old + key->offset, (const char *)fresh + key->offset))
                return err_set(e, E_INVALID, "[%s] %s changed: that takes a restart", key->section, key->name);
            continue;
        }
        for (size_t p = 0; p < old->providers_count; p++)
            if (!value_equal(key, (const char *)&old->providers[p] + key->offset,
                             (const char *)&fresh->providers[p] + key->offset))
                return err_set(e, E_INVALID, "[provider.%s] %s changed: that takes a restart", old->providers[p].name,
                               key->name);
    }
    return OK;
}

static void value_swap(enum conf_kind kind, void *a, void *b)
{
    static const size_t bytes_of[] = {
        [CONF_TEXT] = sizeof(char *),      [CONF_FILE] = sizeof(char *), [CONF_RATE] = sizeof(double),
        [CONF_BOOLEAN] = sizeof(bool),     [CONF_ENUM] = sizeof(int),    [CONF_COUNT] = sizeof(int64_t),
        [CONF_DURATION] = sizeof(int64_t),
    };
    char kept[sizeof(int64_t)];
    memcpy(kept, a, bytes_of[kind]);
    memcpy(a, b, bytes_of[kind]);
    memcpy(b, kept, bytes_of[kind]);
}

void conf_adopt(struct conf *c, struct conf *fresh)
{
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        int n = named_of(key->section);
        if (!key->reloadable || n == WEBHOOK)
            continue;
        if (n == NAMED)
            value_swap(key->kind, key_place(c, NULL, key), key_place(fresh, NULL, key));
        for (size_t p = 0; n == PROVIDER && p < c->providers_count; p++)
            value_swap(key->kind, key_place(c, item_at(c, n, p), key), key_place(fresh, item_at(fresh, n, p), key));
    }
    struct conf_webhook *webhooks = c->webhooks;
    size_t count = c->webhooks_count;
    c->webhooks = fresh->webhooks;
    c->webhooks_count = fresh->webhooks_count;
    fresh->webhooks = webhooks;
    fresh->webhooks_count = count;
}
