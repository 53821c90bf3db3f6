#include "followupd/conf/key.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/conf/file.h"

#define AT(field)          offsetof(struct conf, field)
#define PROVIDER_AT(field) offsetof(struct conf_provider, field)
#define WEBHOOK_AT(field)  offsetof(struct conf_webhook, field)
#define RELOADABLE         .reloadable = true
#define CHANGED_CREDENTIAL "A changed one takes a restart where systemd hands it over (LoadCredential=)."

/* section, name, kind, default, min, max */
const struct conf_key conf_keys[] = {
    { "database", "conninfo", CONF_TEXT, .example = "host=/run/postgresql dbname=followup user=followupd",
      .offset = AT(conninfo),
      .sentence = "How to reach PostgreSQL itself (not a pooler), as libpq reads it; empty: the PG* environment." },
    { "database", "statement_timeout", CONF_DURATION, "5s", "100ms", "5m", .offset = AT(statement_timeout_ms),
      .sentence = "Longest time for one statement on every connection but the one that loads." },
    { "database", "reconnect_min", CONF_DURATION, "100ms", "10ms", "1m", .offset = AT(reconnect_min_ms),
      .sentence = "First wait before connecting again; it doubles from there." },
    { "database", "reconnect_max", CONF_DURATION, "10s", "10ms", "10m", .offset = AT(reconnect_max_ms),
      .sentence = "Longest wait before connecting again." },

    { "engine", "worker", CONF_TEXT, .example = "mail-1", .offset = AT(worker),
      .sentence = "What this worker is called in status and logs; empty: the host's name." },
    { "engine", "provider", CONF_TEXT, .example = "main", .offset = AT(provider),
      .sentence = "NAME of the [provider.NAME] that sends when neither assistant nor account names one; "
                  "with a single provider it need not be given." },
    { "engine", "state_dir", CONF_TEXT, .example = "/var/lib/followupd", .offset = AT(state_dir),
      .sentence = "Folder of the file by which a restarted daemon takes its leases back at once; "
                  "empty: $STATE_DIRECTORY, else none." },
    { "engine", "notify", CONF_BOOLEAN, "on", .offset = AT(notify),
      .sentence = "Listen for changes; off: the sweep finds them." },
    { "engine", "horizon", CONF_DURATION, "72h", "10s", "2160h", .offset = AT(horizon_ms),
      .sentence = "How far ahead messages are held in memory." },
    { "engine", "wheel_rows_max", CONF_COUNT, "10000000", "1000", "100000000", .offset = AT(wheel_rows_max),
      .sentence = "Most messages held in memory; beyond it the horizon is shortened." },
    { "engine", "sweep", CONF_DURATION, "5s", "50ms", "10m", .offset = AT(sweep_ms),
      .sentence = "How often to look in the database for due messages that nobody told of." },
    { "engine", "sweep_old", CONF_DURATION, "60s", "50ms", "1h", .offset = AT(sweep_old_ms),
      .sentence = "How often to look for those that have been due for longer than five minutes." },
    { "engine", "sending_grace", CONF_DURATION, "15s", "100ms", "1h", .offset = AT(sending_grace_ms),
      .sentence = "After this a claimed message that nobody works on is scheduled again." },
    { "engine", "in_flight_max", CONF_COUNT, "512", "1", "10000", .offset = AT(in_flight_max),
      .sentence = "Most sends under way at one time, over all providers." },
    { "engine", "begin_within", CONF_DURATION, "2s", "100ms", "1m", .offset = AT(begin_within_ms),
      .sentence = "A claimed message whose send has not begun by then is given back." },
    { "engine", "busy_again", CONF_DURATION, "50ms", "1ms", "10s", .offset = AT(busy_again_ms),
      .sentence = "Wait before asking again for a message whose conversation somebody else has locked." },
    { "engine", "batch_rows", CONF_COUNT, "500", "1", "1000", .offset = AT(batch_rows),
      .sentence = "Most messages in one claim and most results in one write." },
    { "engine", "batch_wait", CONF_DURATION, "10ms", "0ms", "1s", .offset = AT(batch_wait_ms),
      .sentence = "Longest time a result waits for others to be written with; five times that while more is due "
                  "than can be sent at once." },
    { "engine", "lease", CONF_DURATION, "10s", "200ms", "10m", .offset = AT(lease_ms),
      .sentence =
          "How long a worker owns its accounts without renewing; after a crash another worker waits this long." },
    { "engine", "lease_margin", CONF_DURATION, "2s", "10ms", "1m", .offset = AT(lease_margin_ms),
      .sentence = "No send begins in this last part of a lease; at most half of it." },
    { "engine", "settle_after", CONF_DURATION, "30s", "100ms", "1h", .offset = AT(settle_after_ms),
      .sentence =
          "A send without a clear outcome is asked for again after this; longer than every provider's timeout." },
    { "engine", "settle_interval", CONF_DURATION, "5s", "50ms", "10m", .offset = AT(settle_interval_ms),
      .sentence = "How often to look for sends without a clear outcome." },
    { "engine", "policy_after", CONF_DURATION, "24h", "100ms", "720h", .offset = AT(policy_after_ms),
      .sentence = "After this the account's policy decides about a send without a clear outcome." },
    { "engine", "bulk_interval", CONF_DURATION, "1s", "50ms", "10m", .offset = AT(bulk_interval_ms),
      .sentence = "How often to look for actions on many leads that were committed." },
    { "engine", "inbox_interval", CONF_DURATION, "1s", "50ms", "10s", .offset = AT(inbox_interval_ms),
      .sentence = "How often to look for webhooks that were stored and not applied yet." },
    { "engine", "drain", CONF_DURATION, "30s", "100ms", "10m", RELOADABLE, .offset = AT(drain_ms),
      .sentence = "Longest time between SIGTERM and the end; sends under way are waited for." },
    { "engine", "clock_refresh", CONF_DURATION, "5s", "50ms", "1h", .offset = AT(clock_refresh_ms),
      .sentence = "How often the database is asked for the time." },

    { "provider.", "type", CONF_ENUM, .words = "generic|sendgrid|mailgun|postmark|ses|resend", .required = true,
      .example = "generic", .offset = PROVIDER_AT(type), .sentence = "What the provider speaks." },
    { "provider.", "url", CONF_TEXT, .example = "https://mail.example/send", .shown = true, .offset = PROVIDER_AT(url),
      .sentence =
          "http:// or https://. generic: where messages are posted, must be given. The others know their own; a "
          "url in its place stands before the path." },
    { "provider.", "key_file", CONF_FILE, .example = "provider-key", RELOADABLE, .offset = PROVIDER_AT(key_file),
      .sentence = "File that holds the provider's key; relative: in $CREDENTIALS_DIRECTORY when that is "
                  "set. " CHANGED_CREDENTIAL },
    { "provider.", "domain", CONF_TEXT, .example = "mg.acme.example", .offset = PROVIDER_AT(domain),
      .sentence = "mailgun: the sending domain, must be given." },
    { "provider.", "region", CONF_TEXT, .example = "eu", .offset = PROVIDER_AT(region),
      .sentence = "mailgun: us (when empty) or eu; sendgrid: global (when empty) or eu; ses: the AWS region, must be "
                  "given." },
    { "provider.", "message_stream", CONF_TEXT, .example = "outbound", .offset = PROVIDER_AT(message_stream),
      .sentence = "postmark: the message stream; empty: outbound." },
    { "provider.", "configuration_set", CONF_TEXT, .example = "followup", .offset = PROVIDER_AT(configuration_set),
      .sentence = "ses: the configuration set, which publishes events." },
    { "provider.", "access_key", CONF_TEXT, .example = "AKIAIOSFODNN7EXAMPLE", RELOADABLE,
      .offset = PROVIDER_AT(access_key),
      .sentence = "ses: the id of the access key whose secret is in key_file, must be given." },
    { "provider.", "session_token_file", CONF_FILE, .example = "provider-token", RELOADABLE,
      .offset = PROVIDER_AT(session_token_file),
      .sentence = "ses: file that holds the session token of temporary credentials. " CHANGED_CREDENTIAL },
    { "provider.", "tracking", CONF_BOOLEAN, "off", .offset = PROVIDER_AT(tracking),
      .sentence = "sendgrid, mailgun, postmark: ask them to count opens and clicks." },
    { "provider.", "keep_message_id", CONF_BOOLEAN, "on", .offset = PROVIDER_AT(keep_message_id),
      .sentence = "postmark: ask it to keep our Message-ID, by which answers find their conversation." },
    { "provider.", "message_id_domain", CONF_TEXT, .example = "eu-west-1.amazonses.com",
      .offset = PROVIDER_AT(message_id_domain),
      .sentence =
          "ses, postmark: what stands behind the @ of the Message-ID that they write in the place of ours; empty: "
          "ses by its region, postmark keeps ours." },
    { "provider.", "rate", CONF_RATE, "100/s", "0.01/s", "100000/s", RELOADABLE, .offset = PROVIDER_AT(rate),
      .sentence = "Most messages a second." },
    { "provider.", "concurrency_max", CONF_COUNT, "64", "1", "10000", RELOADABLE,
      .offset = PROVIDER_AT(concurrency_max), .sentence = "Most sends under way at one time at this provider." },
    { "provider.", "timeout", CONF_DURATION, "10s", "50ms", "10m", .offset = PROVIDER_AT(timeout_ms),
      .sentence = "Longest time for one send; after it the outcome is in doubt." },
    { "provider.", "connect_timeout", CONF_DURATION, "3s", "10ms", "1m", .offset = PROVIDER_AT(connect_timeout_ms),
      .sentence = "Longest time to connect; after it the message was not sent." },
    { "provider.", "key_window", CONF_DURATION, "24h", "0ms", "720h", .offset = PROVIDER_AT(key_window_ms),
      .sentence = "How long the provider honours an idempotency key; 0ms: it does not. Of generic and resend." },
    { "provider.", "look_up_proof", CONF_DURATION, "30m", "0ms", "720h", .offset = PROVIDER_AT(look_up_proof_ms),
      .sentence =
          "mailgun, postmark: a message in doubt that they do not know so long after its send was not sent, and "
          "goes again; 0ms: that proves nothing." },

    { "webhook.", "type", CONF_ENUM, .words = "sendgrid|mailgun|postmark|ses|resend", .required = true,
      .example = "sendgrid", RELOADABLE, .offset = WEBHOOK_AT(type),
      .sentence = "Whose webhooks, and how they are signed." },
    { "webhook.", "account", CONF_COUNT, "0", "0", "999999999999999", RELOADABLE, .offset = WEBHOOK_AT(account_id),
      .sentence = "The only account that they may be about; 0: any." },
    { "webhook.", "secret_file", CONF_FILE, .example = "webhook-secret", RELOADABLE, .offset = WEBHOOK_AT(secret_file),
      .sentence =
          "mailgun: the webhook signing key; resend: whsec_...; postmark: user:password, or the value of "
          "secret_header. A second line is the other secret while one is changed for the next. " CHANGED_CREDENTIAL },
    { "webhook.", "secret_header", CONF_TEXT, .example = "X-Webhook-Secret", RELOADABLE,
      .offset = WEBHOOK_AT(secret_header),
      .sentence = "postmark: the header that carries the secret; empty: Basic credentials do." },
    { "webhook.", "public_key_file", CONF_FILE, .example = "webhook-key", RELOADABLE,
      .offset = WEBHOOK_AT(public_key_file),
      .sentence = "sendgrid: the verification key as their page shows it, a second one in the second line, or "
                  "PEM. " CHANGED_CREDENTIAL },
    { "webhook.", "topic_arn", CONF_TEXT, .example = "arn:aws:sns:eu-central-1:123456789012:mail", RELOADABLE,
      .offset = WEBHOOK_AT(topic_arn), .sentence = "ses: the SNS topics that are taken, separated by commas." },
    { "webhook.", "fresh", CONF_DURATION, "0ms", "0ms", "720h", RELOADABLE, .offset = WEBHOOK_AT(fresh_ms),
      .sentence = "How old a signature may be; 0ms: resend 5m, mailgun 9h, sendgrid and ses 25h." },
    { "webhook.", "classifier_url", CONF_TEXT, .example = "http://127.0.0.1:9000/classify", RELOADABLE,
      .offset = WEBHOOK_AT(classifier_url),
      .sentence =
          "A service of your own that is asked what a reply means, before the account's rules; empty: none is." },
    { "webhook.", "classifier_timeout", CONF_DURATION, "2s", "50ms", "10s", RELOADABLE,
      .offset = WEBHOOK_AT(classifier_timeout_ms),
      .sentence = "Longest time for its answer; after it the rules decide alone." },

    { "http", "listen", CONF_TEXT, "127.0.0.1:8025", .offset = AT(listen),
      .sentence = "Address and port of webhooks, /u/, /healthz, /readyz and /metrics; empty: no HTTP. A port that is "
                  "taken stops the "
                  "start, unless it is only the default." },
    { "http", "connections_max", CONF_COUNT, "1024", "8", "60000", .offset = AT(http_connections_max),
      .sentence = "Most HTTP connections; one more, and the one that has waited longest for its client is closed." },
    { "http", "address_connections_max", CONF_COUNT, "1024", "1", "60000", .offset = AT(http_address_connections_max),
      .sentence = "Most HTTP connections from one address; further ones are refused. Behind a proxy all have its "
                  "address." },
    { "http", "bodies_max", CONF_COUNT, "134217728", "1048576", "4294967296", .offset = AT(bodies_bytes_max),
      .sentence =
          "Most bytes of request bodies in memory at one time; further ones are told to come again (503). Bodies "
          "over 1 MiB, which only mails have (at most 32 MiB), may take half of it." },
    { "http", "header_timeout", CONF_DURATION, "10s", "50ms", "5m", .offset = AT(header_timeout_ms),
      .sentence = "Longest time from connecting, or on a kept connection from the end of a request's first line, to "
                  "the end of its header." },
    { "http", "body_timeout", CONF_DURATION, "30s", "50ms", "10m", .offset = AT(body_timeout_ms),
      .sentence = "Longest time from the end of an HTTP request's header to the end of its body." },
    { "http", "answer_timeout", CONF_DURATION, "30s", "50ms", "10m", .offset = AT(answer_timeout_ms),
      .sentence = "Longest time for an HTTP client to take its answer." },
    { "http", "idle_timeout", CONF_DURATION, "60s", "50ms", "1h", .offset = AT(idle_timeout_ms),
      .sentence = "Longest time between two requests on one HTTP connection." },
    { "http", "public_url", CONF_TEXT, .example = "https://follow.example", .offset = AT(public_url),
      .sentence = "Where the world reaches us, for unsubscribe links: /u/TOKEN is added to it, so it ends without a "
                  "slash. https: mail programs offer one click for nothing else (RFC 8058). A path before that is for "
                  "a proxy to take away. Every provider but one of type generic needs it; without it messages carry "
                  "none." },
    { "log", "level", CONF_ENUM, "info", .words = "debug|info|warn|error", RELOADABLE, .offset = AT(log_level),
      .sentence = "Lines below this level are not written." },
};
const size_t conf_keys_count = COUNT_OF(conf_keys);

bool conf_section_is_provider(const char *section)
{
    return strncmp(section, "provider.", strlen("provider.")) == 0;
}

bool conf_section_is_webhook(const char *section)
{
    return strncmp(section, "webhook.", strlen("webhook.")) == 0;
}

static bool section_matches(const struct conf_key *key, const char *section)
{
    size_t bytes = strlen(key->section);
    if (key->section[bytes - 1] == '.')
        return strncmp(section, key->section, bytes) == 0;
    return strcmp(key->section, section) == 0;
}

const struct conf_key *conf_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < conf_keys_count; i++)
        if (section_matches(&conf_keys[i], section) && strcmp(conf_keys[i].name, name) == 0)
            return &conf_keys[i];
    return NULL;
}

bool conf_section_known(const char *section)
{
    for (size_t i = 0; i < conf_keys_count; i++)
        if (section_matches(&conf_keys[i], section))
            return true;
    return false;
}

/* --- values ----------------------------------------------------------------------------------------------------- */

static enum status duration_read(const char *text, int64_t *ret, struct err *e)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 } };
    const char *unit = text + strspn(text, "0123456789");
    int digits = (int)(unit - text);
    if (digits == 0 || digits > 12)
        return err_set(e, E_INVALID, "\"%.60s\" is not a duration: write a whole number and a unit, like 10s", text);
    unit += strspn(unit, " ");
    if (*unit == '\0')
        return err_set(e, E_INVALID, "\"%.60s\" has no unit: write %.*sms, %.*ss, %.*sm or %.*sh", text, digits, text,
                       digits, text, digits, text, digits, text);
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (strcmp(unit, units[i].unit) == 0) {
            *ret = strtoll(text, NULL, 10) * units[i].ms;
            return OK;
        }
    }
    return err_set(e, E_INVALID, "\"%.60s\" has an unknown unit \"%.20s\": the units are ms, s, m and h", text, unit);
}

static enum status count_read(const char *text, int64_t *ret, struct err *e)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits] != '\0' || digits > 15)
        return err_set(e, E_INVALID, "\"%.60s\" is not a count: write a whole number without a unit", text);
    *ret = strtoll(text, NULL, 10);
    return OK;
}

static enum status rate_read(const char *text, double *ret, struct err *e)
{
    size_t digits = strspn(text, "0123456789.");
    char *end;
    double value = strtod(text, &end);
    if (digits == 0 || digits > 15 || end != text + digits)
        return err_set(e, E_INVALID, "\"%.60s\" is not a rate: write a number and /s, like 100/s", text);
    if (*end == '\0')
        return err_set(e, E_INVALID, "\"%.60s\" has no unit: write %.60s/s", text, text);
    if (strcmp(end, "/s") != 0)
        return err_set(e, E_INVALID, "\"%.60s\" has an unknown unit \"%.20s\": a rate is given in /s", text, end);
    *ret = value;
    return OK;
}

static enum status word_read(const char *words, const char *text, int64_t *ret, struct err *e)
{
    size_t bytes = strlen(text);
    int64_t index = 0;
    for (const char *word = words; *word != '\0'; index++) {
        size_t word_bytes = strcspn(word, "|");
        if (word_bytes == bytes && memcmp(word, text, bytes) == 0) {
            *ret = index;
            return OK;
        }
        word += word_bytes + (word[word_bytes] == '|');
    }
    return err_set(e, E_INVALID, "\"%.60s\" is none of %s", text, words);
}

static enum status read_unbounded(const struct conf_key *key, const char *text, union conf_value *ret, struct err *e)
{
    switch (key->kind) {
    case CONF_DURATION:
        return duration_read(text, &ret->integer, e);
    case CONF_COUNT:
        return count_read(text, &ret->integer, e);
    case CONF_RATE:
        return rate_read(text, &ret->rate, e);
    case CONF_BOOLEAN:
        return word_read("off|on", text, &ret->integer, e);
    case CONF_ENUM:
        return word_read(key->words, text, &ret->integer, e);
    case CONF_TEXT:
    case CONF_FILE:
        break;
    }
    return err_set(e, E_INVALID, "[%s] %s has no number", key->section, key->name);
}

static bool below(const struct conf_key *key, union conf_value a, union conf_value b)
{
    return key->kind == CONF_RATE ? a.rate < b.rate : a.integer < b.integer;
}

enum status conf_value_read(const struct conf_key *key, const char *text, union conf_value *ret, struct err *e)
{
    union conf_value value = { 0 }, min, max;
    enum status st = read_unbounded(key, text, &value, e);
    if (st != OK)
        return st;
    if (key->min != NULL && key->max != NULL) {
        st = read_unbounded(key, key->min, &min, e);
        if (st == OK)
            st = read_unbounded(key, key->max, &max, e);
        if (st != OK)
            return st; /* a fault of the table; a unit test reads every row */
        if (below(key, value, min) || below(key, max, value))
            return err_set(e, E_INVALID, "%.60s is out of range: %s to %s", text, key->min, key->max);
    }
    *ret = value;
    return OK;
}

/* --- the example ------------------------------------------------------------------------------------------------ */

void conf_key_print_kind(const struct conf_key *key, FILE *out, void (*put)(FILE *out, const char *text))
{
    static const char *const kinds[] = {
        [CONF_DURATION] = "duration (ms, s, m, h)",
        [CONF_COUNT] = "count",
        [CONF_RATE] = "rate (/s)",
        [CONF_TEXT] = "text",
        [CONF_FILE] = "file",
        [CONF_BOOLEAN] = "on or off",
        [CONF_ENUM] = "one of",
    };
    put(out, kinds[key->kind]);
    if (key->words != NULL) {
        put(out, " ");
        put(out, key->words);
    }
    if (key->min != NULL) {
        put(out, ", ");
        put(out, key->min);
        put(out, " to ");
        put(out, key->max);
    }
    if (key->required)
        put(out, ", must be given");
}

static void put_plain(FILE *out, const char *text)
{
    fputs(text, out);
}

void conf_print_example(FILE *out)
{
    fputs("# followupd.conf: every key. A line that starts with '#' shows the default, or an example where there is "
          "none.\n"
          "# Units are required. An unknown section or key, a missing unit or a value out of range stops the start and "
          "is\n"
          "# told with its place. Behind a value there is no comment: '#' and ';' belong to it.\n",
          out);
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        bool provider = conf_section_is_provider(key->section), webhook = conf_section_is_webhook(key->section);
        if (i == 0 || strcmp(key->section, conf_keys[i - 1].section) != 0) {
            if (provider)
                fprintf(out, "\n# One section a provider, at most %d; the name is free: letters, digits, '-' and '_'.",
                        CONF_PROVIDERS_MAX);
            if (webhook)
                fprintf(out,
                        "\n# One section a source of webhooks, at most %d; its name is part of the URLs to give to the "
                        "provider:\n# /webhooks/NAME/ACCOUNT for events, /inbound/NAME/ACCOUNT for answers to mails.",
                        CONF_WEBHOOKS_MAX);
            fprintf(out, "\n%s[%s%s]\n", webhook ? "#" : "", key->section, provider || webhook ? "main" : "");
        }
        fprintf(out, "# %s\n", key->sentence);
        fputs("#   ", out);
        conf_key_print_kind(key, out, put_plain);
        fputs(key->reloadable ? ", taken over on reload\n" : "\n", out);
        fprintf(out, "%s%s = %s\n", (key->required && !webhook) || key->shown ? "" : "#", key->name,
                key->fallback != NULL ? key->fallback : key->example);
    }
}
