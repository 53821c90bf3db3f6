#include "followupd/app/webhooks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INBOUND_BYTES_MAX ((int64_t)32 * 1024 * 1024) /* the route's own limit is smaller where it is for events */

static const char *const type_names[] = {
    [CONF_WEBHOOK_SENDGRID] = "sendgrid", [CONF_WEBHOOK_MAILGUN] = "mailgun", [CONF_WEBHOOK_POSTMARK] = "postmark",
    [CONF_WEBHOOK_SES] = "ses",           [CONF_WEBHOOK_RESEND] = "resend",
};

/* The files of one section, read. */
struct files {
    char secret[WEBHOOK_FILE_BYTES_MAX + 1], key[WEBHOOK_FILE_BYTES_MAX + 1];
};

static enum status read_file(const char *path, char *ret, struct err *e)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set(e, E_IO, "%s: %s", path, strerror(errno));
    size_t used = fread(ret, 1, WEBHOOK_FILE_BYTES_MAX + 1, file);
    int failed = ferror(file);
    fclose(file);
    if (failed)
        return err_set(e, E_IO, "%s cannot be read", path);
    if (used > WEBHOOK_FILE_BYTES_MAX)
        return err_set(e, E_LIMIT, "%s is longer than %d bytes", path, WEBHOOK_FILE_BYTES_MAX);
    ret[used] = '\0';
    if (strlen(ret) != used)
        return err_set(e, E_INVALID, "%s holds a NUL byte", path);
    return OK;
}

/* One or two lines; text is cut into them. */
static enum status split_lines(char *text, const char *path, const char *lines[WEBHOOK_SECRETS_MAX], struct err *e)
{
    size_t count = 0;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\r\n")) != NULL;) {
        if (line[0] == '\0')
            continue;
        if (count == WEBHOOK_SECRETS_MAX)
            return err_set(e, E_INVALID, "%s has more than %d lines", path, WEBHOOK_SECRETS_MAX);
        lines[count++] = line;
    }
    return count > 0 ? OK : err_set(e, E_INVALID, "%s holds nothing", path);
}

static enum status read_secrets(const struct conf_webhook *w, struct files *files, struct webhook_settings *settings,
                                struct err *e)
{
    enum status st = read_file(w->secret_file, files->secret, e);
    return st == OK ? split_lines(files->secret, w->secret_file, settings->secrets, e) : st;
}

static enum status read_keys(const struct conf_webhook *w, struct files *files, struct webhook_settings *settings,
                             struct err *e)
{
    static const char begin[] = "-----BEGIN";
    size_t count = 0;
    enum status st = read_file(w->public_key_file, files->key, e);
    const char *pem = st == OK ? strstr(files->key, begin) : NULL;
    if (st == OK && pem == NULL)
        return split_lines(files->key, w->public_key_file, settings->public_keys, e);
    for (; pem != NULL; pem = strstr(pem + 1, begin)) { /* each is read up to its own end */
        if (count == WEBHOOK_SECRETS_MAX)
            return err_set(e, E_INVALID, "%s has more than %d keys", w->public_key_file, WEBHOOK_SECRETS_MAX);
        settings->public_keys[count++] = pem;
    }
    return st;
}

static struct webhook_settings settings_of(const struct conf_webhook *w)
{
    return (struct webhook_settings){
        .type = type_names[w->type],
        .secret_header = w->secret_header,
        .topic_arn = w->topic_arn,
        .fresh_ms = w->fresh_ms,
        .body_bytes_max = INBOUND_BYTES_MAX,
    };
}

enum status webhooks_check(const char *conf_path, const struct conf *conf, struct err *e)
{
    for (size_t i = 0; i < conf->webhooks_count; i++) {
        const struct conf_webhook *w = &conf->webhooks[i];
        struct webhook_settings settings = settings_of(w);
        settings.secrets[0] = w->secret_file != NULL ? "named" : NULL;
        settings.public_keys[0] = w->public_key_file != NULL ? "named" : NULL;
        enum status st = webhook_settings_check(&settings, e);
        if (st != OK)
            return err_prefix(e, st, "%s:%d: [webhook.%s]", conf_path, w->line, w->name);
    }
    return OK;
}

static enum status add_source(const char *conf_path, const struct conf_webhook *w, struct files *files,
                              struct sources *sources, struct err *e)
{
    struct webhook_settings settings = settings_of(w);
    struct webhook_source *source = NULL;
    if (w->secret_file != NULL) {
        enum status st = read_secrets(w, files, &settings, e);
        if (st != OK)
            return err_prefix(e, st, "%s:%d: [webhook.%s] secret_file", conf_path, w->secret_file_line, w->name);
    }
    if (w->public_key_file != NULL) {
        enum status st = read_keys(w, files, &settings, e);
        if (st != OK)
            return err_prefix(e, st, "%s:%d: [webhook.%s] public_key_file", conf_path, w->public_key_file_line,
                              w->name);
    }
    enum status st = webhook_source_new(&settings, &source, e);
    if (st != OK)
        return err_prefix(e, st, "%s:%d: [webhook.%s]", conf_path, w->line, w->name);
    st = sources_add(sources, w->name, w->account_id, source, w->classifier_url, w->classifier_timeout_ms);
    return st == OK ? OK : err_set(e, st, "out of memory");
}

enum status webhooks_sources(const char *conf_path, const struct conf *conf, struct sources **ret, struct err *e)
{
    struct sources *sources = sources_new();
    struct files *files = calloc(1, sizeof *files);
    enum status st = sources != NULL && files != NULL ? OK : err_set(e, E_NOMEM, "out of memory");
    for (size_t i = 0; i < conf->webhooks_count && st == OK; i++)
        st = add_source(conf_path, &conf->webhooks[i], files, sources, e);
    if (files != NULL)
        explicit_bzero(files, sizeof *files);
    free(files);
    if (st == OK) {
        *ret = sources;
        sources = NULL;
    }
    sources_unref(sources);
    return st;
}
