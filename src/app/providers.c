#include "followupd/app/providers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {
    [CONF_PROVIDER_GENERIC] = "generic",   [CONF_PROVIDER_SENDGRID] = "sendgrid", [CONF_PROVIDER_MAILGUN] = "mailgun",
    [CONF_PROVIDER_POSTMARK] = "postmark", [CONF_PROVIDER_SES] = "ses",           [CONF_PROVIDER_RESEND] = "resend",
};

/* The file's content without the line end. *ret is owned. */
static enum status read_key(const char *path, char **ret, struct err *e)
{
    char bytes[PROVIDER_KEY_BYTES_MAX + 2];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set(e, E_IO, "%s: %s", path, strerror(errno));
    size_t used = fread(bytes, 1, sizeof bytes - 1, file);
    int failed = ferror(file);
    fclose(file);
    if (failed)
        return err_set(e, E_IO, "%s cannot be read", path);
    if (used > PROVIDER_KEY_BYTES_MAX)
        return err_set(e, E_LIMIT, "%s is longer than %d bytes", path, PROVIDER_KEY_BYTES_MAX);
    bytes[used] = '\0';
    if (strlen(bytes) != used)
        return err_set(e, E_INVALID, "%s holds a NUL byte", path);
    bytes[strcspn(bytes, "\r\n")] = '\0';
    if (bytes[0] == '\0')
        return err_set(e, E_INVALID, "%s holds no key", path);
    *ret = strdup(bytes);
    explicit_bzero(bytes, sizeof bytes);
    return *ret != NULL ? OK : err_set(e, E_NOMEM, "out of memory");
}

static void free_secret(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

static struct provider_config config_of(const struct conf_provider *p, const char *key, const char *token)
{
    return (struct provider_config){
        .name = p->name,
        .type = type_names[p->type],
        .url = p->url,
        .key = key,
        .domain = p->domain,
        .region = p->region,
        .message_stream = p->message_stream,
        .configuration_set = p->configuration_set,
        .message_id_domain = p->message_id_domain,
        .access_key = p->access_key,
        .session_token = token,
        .tracking = p->tracking,
        .keep_message_id = p->keep_message_id,
        .rate_per_s = p->rate,
        .concurrency_max = (int)p->concurrency_max,
        .timeout_ms = p->timeout_ms,
        .connect_timeout_ms = p->connect_timeout_ms,
        .key_window_ms = p->key_window_ms,
        .look_up_proof_ms = p->look_up_proof_ms,
    };
}

enum status providers_check(const char *conf_path, const struct conf *conf, struct err *e)
{
    struct provider_config configs[CONF_PROVIDERS_MAX] = { 0 };
    struct registry *registry = NULL;
    for (size_t i = 0; i < conf->providers_count; i++) {
        const struct conf_provider *p = &conf->providers[i];
        configs[i] = config_of(p, p->key_file != NULL ? "named" : NULL, p->session_token_file != NULL ? "named" : NULL);
    }
    enum status st = registry_new(configs, conf->providers_count, &registry, e);
    for (size_t i = 0; i < conf->providers_count && st == OK; i++) {
        if (conf->providers[i].type != CONF_PROVIDER_GENERIC && conf->public_url == NULL)
            st = err_set(
                e, E_INVALID,
                "[http] public_url is missing: by [provider.%s] people get mail, and their way out is a link to it",
                conf->providers[i].name);
    }
    if (st != OK)
        err_prefix(e, st, "%s", conf_path);
    registry_free(registry);
    return st;
}

enum status providers_open(const char *conf_path, const struct conf *conf, struct registry **ret, struct err *e)
{
    struct provider_config configs[CONF_PROVIDERS_MAX] = { 0 };
    char *keys[CONF_PROVIDERS_MAX] = { NULL }, *tokens[CONF_PROVIDERS_MAX] = { NULL };
    enum status st = providers_check(conf_path, conf, e);
    for (size_t i = 0; i < conf->providers_count && st == OK; i++) {
        const struct conf_provider *p = &conf->providers[i];
        if (p->key_file != NULL)
            st = read_key(p->key_file, &keys[i], e);
        if (st != OK)
            err_prefix(e, st, "%s:%d: [provider.%s] key_file", conf_path, p->key_file_line, p->name);
        if (st == OK && p->session_token_file != NULL) {
            st = read_key(p->session_token_file, &tokens[i], e);
            if (st != OK)
                err_prefix(e, st, "%s:%d: [provider.%s] session_token_file", conf_path, p->session_token_file_line,
                           p->name);
        }
        configs[i] = config_of(p, keys[i], tokens[i]);
    }
    if (st == OK)
        st = registry_new(configs, conf->providers_count, ret, e);
    for (size_t i = 0; i < conf->providers_count; i++) {
        free_secret(keys[i]);
        free_secret(tokens[i]);
    }
    return st;
}
