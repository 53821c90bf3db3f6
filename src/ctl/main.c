/* followupctl: the operator's command line. Finds the verb, reads its words and options, connects, runs it. */
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "followupd/base/list.h"
#include "followupd/conf/file.h"
#include "followupd/db/migrate.h"

static const struct ctl_verb *const tables[] = { account_verbs,  sequence_verbs, lead_verbs, action_verbs, bulk_verbs,
                                                 operate_verbs,  plan_verbs,     crm_verbs,  reply_verbs,  status_verbs,
                                                 in_doubt_verbs, webhook_verbs,  check_verbs };

/* Options of every verb; they may stand before it too. */
static const struct ctl_option global_options[] = {
    { "conninfo", "TEXT", "the database, as libpq reads it (default: $FOLLOWUPD_CONNINFO, else PGHOST and the like)" },
    { "config", "FILE", "take conninfo from this followupd.conf" },
    { "account", "NAME", "the account (default: the only one)" },
    { "json", NULL, "answer as JSON" },
    { "help", NULL, "explain the verb" },
};
enum global { GLOBAL_CONNINFO, GLOBAL_CONFIG, GLOBAL_ACCOUNT, GLOBAL_JSON, GLOBAL_HELP };

struct call {
    struct ctl ctl;
    const char *globals[COUNT_OF(global_options)];
    const char **words; /* owned array of borrowed words */
};

/* --- telling ------------------------------------------------------------------------------------------------------ */

enum ctl_exit ctl_fail(enum status st, const struct err *e)
{
    fprintf(stderr, "followupctl: %s\n", e->text);
    return st == E_INVALID || st == E_NOT_FOUND || st == E_LIMIT ? CTL_USAGE : CTL_REFUSED;
}

enum ctl_exit ctl_unchanged(const char *complaint)
{
    fprintf(stderr, "followupctl: nothing is changed: %s\n", complaint);
    return CTL_USAGE;
}

enum ctl_exit ctl_usage(const struct ctl *c, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("followupctl: ", stderr);
    vfprintf(stderr, format, values);
    va_end(values);
    if (c != NULL && c->verb != NULL)
        fprintf(stderr, "\nTry: followupctl %s --help\n", c->verb->name);
    else
        fputs("\nTry: followupctl --help\n", stderr);
    return CTL_USAGE;
}

static void options_print(const struct ctl_option *options, size_t count)
{
    for (size_t i = 0; i < count && options[i].name != NULL; i++) {
        char left[40];
        snprintf(left, sizeof left, "--%s %s", options[i].name, options[i].value != NULL ? options[i].value : "");
        printf("  %-24s %s\n", left, options[i].sentence);
    }
}

static enum ctl_exit help_of(const struct ctl_verb *verb)
{
    printf("followupctl %s%s%s\n\n%s.\n\n%s", verb->name, verb->words[0] != '\0' ? " " : "", verb->words,
           verb->sentence, verb->help);
    if (verb->options[0].name != NULL)
        puts("\nOptions:");
    options_print(verb->options, CTL_OPTIONS_MAX);
    puts("\nOf every verb:");
    options_print(global_options, COUNT_OF(global_options));
    return CTL_OK;
}

static enum ctl_exit help_of_all(void)
{
    puts("followupctl VERB [WORDS] [--options]\n\n"
         "Works on followupd's database; the daemon learns of a change by itself, within milliseconds.\n");
    for (size_t t = 0; t < COUNT_OF(tables); t++)
        for (const struct ctl_verb *verb = tables[t]; verb->name != NULL; verb++)
            printf("  %-17s %-22s %s\n", verb->name, verb->words, verb->sentence);
    puts("\nOf every verb:");
    options_print(global_options, COUNT_OF(global_options));
    puts("\nExit status: 0 done; 1 the database refused, nothing was done, or (it is said then) it is not known "
         "whether it\n"
         "was; 2 the call or its input is wrong.\n"
         "\"followupctl VERB --help\" explains a verb.");
    return CTL_OK;
}

/* --- reading the call --------------------------------------------------------------------------------------------- */

const struct ctl_verb *ctl_verb_at(size_t index)
{
    for (size_t t = 0; t < COUNT_OF(tables); t++)
        for (const struct ctl_verb *verb = tables[t]; verb->name != NULL; verb++)
            if (index-- == 0)
                return verb;
    return NULL;
}

const struct ctl_verb *ctl_verb_find(const char *first, const char *second)
{
    const struct ctl_verb *verb;
    char name[64];
    snprintf(name, sizeof name, "%s %s", first, second != NULL ? second : "");
    for (size_t i = 0; (verb = ctl_verb_at(i)) != NULL; i++)
        if (strcmp(verb->name, first) == 0 || strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

static bool is_group(const char *word)
{
    for (size_t t = 0; t < COUNT_OF(tables); t++)
        for (const struct ctl_verb *verb = tables[t]; verb->name != NULL; verb++)
            if (strncmp(verb->name, word, strlen(word)) == 0 && verb->name[strlen(word)] == ' ')
                return true;
    return false;
}

static int option_find(const struct ctl_option *options, size_t count, const char *text, size_t bytes)
{
    for (size_t i = 0; i < count && options[i].name != NULL; i++)
        if (strlen(options[i].name) == bytes && strncmp(options[i].name, text, bytes) == 0)
            return (int)i;
    return -1;
}

/* Reads argv[*at], an option, and its value. false: told already. */
static bool option_read(struct call *call, int argc, char **argv, int *at)
{
    const char *text = argv[*at] + 2;
    size_t bytes = strcspn(text, "=");
    const struct ctl_verb *verb = call->ctl.verb;
    const struct ctl_option *option;
    const char **place;
    int index = option_find(global_options, COUNT_OF(global_options), text, bytes);
    if (index >= 0) {
        option = &global_options[index];
        place = &call->globals[index];
    } else {
        index = verb != NULL ? option_find(verb->options, CTL_OPTIONS_MAX, text, bytes) : -1;
        if (index < 0) {
            ctl_usage(&call->ctl,
                      verb != NULL ? "%s has no option --%.*s" : "%sthere is no option --%.*s before the verb",
                      verb != NULL ? verb->name : "", (int)bytes, text);
            return false;
        }
        option = &verb->options[index];
        place = &call->ctl.values[index];
    }
    if (*place != NULL) {
        ctl_usage(&call->ctl, "--%s is given twice", option->name);
        return false;
    }
    if (option->value == NULL && text[bytes] == '\0')
        *place = "";
    else if (option->value != NULL && text[bytes] == '=')
        *place = text + bytes + 1;
    else if (option->value != NULL && *at + 1 < argc)
        *place = argv[++*at];
    if (*place == NULL)
        ctl_usage(&call->ctl, option->value != NULL ? "--%s needs a value: --%s %s" : "--%s takes no value",
                  option->name, option->name, option->value);
    return *place != NULL;
}

/* Verb, words and options of the call. CTL_OK: go on. */
static enum ctl_exit call_read(struct call *call, int argc, char **argv)
{
    bool options_over = false;
    const char *group = NULL;
    for (int at = 1; at < argc; at++) {
        if (!options_over && strcmp(argv[at], "--") == 0) {
            options_over = true;
        } else if (!options_over && strncmp(argv[at], "--", 2) == 0) {
            if (!option_read(call, argc, argv, &at))
                return CTL_USAGE;
        } else if (call->ctl.verb != NULL) {
            call->words[call->ctl.words_count++] = argv[at];
        } else if (group == NULL && is_group(argv[at])) {
            group = argv[at];
        } else {
            call->ctl.verb = group != NULL ? ctl_verb_find(group, argv[at]) : ctl_verb_find(argv[at], NULL);
            if (call->ctl.verb == NULL)
                return ctl_usage(NULL, "there is no verb \"%s%s%s\"", group != NULL ? group : "",
                                 group != NULL ? " " : "", argv[at]);
        }
    }
    if (call->globals[GLOBAL_HELP] != NULL || argc == 1)
        return CTL_OK;
    if (call->ctl.verb == NULL)
        return ctl_usage(NULL, group != NULL ? "%s what? A second word is missing" : "%sthe verb is missing",
                         group != NULL ? group : "");
    if (call->ctl.words_count < call->ctl.verb->words_min || call->ctl.words_count > call->ctl.verb->words_max)
        return ctl_usage(&call->ctl, "%s is called with: %s", call->ctl.verb->name,
                         call->ctl.verb->words[0] != '\0' ? call->ctl.verb->words : "no words");
    return CTL_OK;
}

const char *ctl_option(const struct ctl *c, const char *name)
{
    int index = option_find(c->verb->options, CTL_OPTIONS_MAX, name, strlen(name));
    return index >= 0 ? c->values[index] : NULL;
}

/* --- the database ------------------------------------------------------------------------------------------------- */

enum status ctl_query(struct ctl *c, const char *sql, const char *const *values, size_t values_count,
                      struct once_rows **ret, struct err *e)
{
    char *wrapped = NULL;
    if (asprintf(&wrapped, "SELECT pg_catalog.to_jsonb(q)::text AS json, q.* FROM (%s) AS q", sql) < 0)
        return err_set(e, E_NOMEM, "out of memory");
    enum status st = once_exec(c->db, wrapped, values, values_count, ret, e);
    free(wrapped);
    return st;
}

static enum status maybe_done(enum status st, struct err *e)
{
    return st == E_GONE ? err_prefix(e, st, "it is not known whether this was done, look before you repeat it") : st;
}

enum status ctl_commit(struct ctl *c, struct err *e)
{
    return maybe_done(once_script(c->db, "COMMIT", e), e);
}

enum status ctl_command(struct ctl *c, const char *verb, const struct command_argument *arguments, size_t count,
                        struct once_rows **ret, struct err *e)
{
    const struct command *command = command_find(verb);
    struct command_argument all[COMMAND_PARAMETERS_MAX];
    struct command_call call;
    size_t all_count = 0;
    if (command->parameters[0].name != NULL && strcmp(command->parameters[0].name, "account") == 0)
        all[all_count++] = (struct command_argument){ "account", c->account[0] != '\0' ? c->account : NULL };
    for (size_t i = 0; i < count && all_count < COMMAND_PARAMETERS_MAX; i++)
        all[all_count++] = arguments[i];
    enum status st = command_call_make(command, all, all_count, &call, e);
    if (st != OK)
        return st;
    bool commits = command->changes && !once_in_transaction(c->db);
    st = ctl_query(c, call.sql, call.values, call.values_count, ret, e);
    return commits ? maybe_done(st, e) : st;
}

enum ctl_exit ctl_ask(struct ctl *c, const struct command_argument *arguments, size_t count, const char *nothing)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    enum status st = ctl_command(c, c->verb->name, arguments, count, &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, nothing);
    once_rows_free(rows);
    return CTL_OK;
}

enum status ctl_value(struct ctl *c, const char *sql, const char *const *values, size_t values_count, char *ret,
                      size_t ret_bytes, struct err *e)
{
    struct once_rows *rows = NULL;
    enum status st = once_exec(c->db, sql, values, values_count, &rows, e);
    if (st != OK)
        return st;
    const char *value = once_rows_count(rows) > 0 ? once_value(rows, 0, 0) : NULL;
    if ((size_t)snprintf(ret, ret_bytes, "%s", value != NULL ? value : "") >= ret_bytes)
        st = err_set(e, E_LIMIT, "the database's answer is too long");
    once_rows_free(rows);
    return st;
}

enum status ctl_named(struct ctl *c, const char *kind, char *ret, size_t ret_bytes, struct err *e)
{
    const char *values[] = { c->account, kind, ctl_option(c, kind) };
    ret[0] = '\0';
    if (values[2] == NULL)
        return OK;
    return ctl_value(c, "SELECT followup.find_named($1::bigint, $2, $3)", values, COUNT_OF(values), ret, ret_bytes, e);
}

enum status ctl_lead(struct ctl *c, const char *word, char *ret, size_t ret_bytes, struct err *e)
{
    const char *values[] = { c->account, word };
    return ctl_value(c, "SELECT followup.find_lead($1::bigint, $2)", values, COUNT_OF(values), ret, ret_bytes, e);
}

static enum status connect(struct call *call, struct err *e)
{
    const char *conninfo = call->globals[GLOBAL_CONNINFO];
    struct conf *conf = NULL;
    if (conninfo != NULL && call->globals[GLOBAL_CONFIG] != NULL)
        return err_set(e, E_INVALID, "--conninfo and --config are given both");
    if (call->globals[GLOBAL_CONFIG] != NULL) {
        enum status st = conf_load(call->globals[GLOBAL_CONFIG], &conf, e);
        if (st != OK)
            return st == E_IO ? E_INVALID : st;
        conninfo = conf->conninfo;
    } else if (conninfo == NULL) {
        conninfo = getenv("FOLLOWUPD_CONNINFO");
    }
    call->ctl.conninfo = strdup(conninfo != NULL ? conninfo : "");
    conf_free(conf);
    if (call->ctl.conninfo == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    return once_open(call->ctl.conninfo, "followupctl", &call->ctl.db, e);
}

enum status ctl_reconnect(struct ctl *c, struct err *e)
{
    struct once *fresh = NULL;
    enum status st = once_open(c->conninfo, "followupctl", &fresh, e);
    if (st != OK)
        return st;
    once_close(c->db);
    c->db = fresh;
    return OK;
}

static enum status schema_check(struct ctl *c, struct err *e)
{
    char there[8], version[16] = "0";
    enum status st =
        ctl_value(c, "SELECT to_regclass('followup.migration') IS NOT NULL", NULL, 0, there, sizeof there, e);
    if (st == OK && there[0] == 't')
        st = ctl_value(c, "SELECT max(version) FROM followup.migration", NULL, 0, version, sizeof version, e);
    if (st != OK)
        return st;
    if (atoi(version) == 0)
        return err_set(e, E_SCHEMA, "the database has no schema yet: run followupctl migrate");
    if (atoi(version) != migrate_version())
        return err_set(e, E_SCHEMA, "the database has schema version %s, this program needs %d: %s", version,
                       migrate_version(),
                       atoi(version) < migrate_version() ? "run followupctl migrate" : "use a newer followupctl");
    return OK;
}

/* Finds the account; from then on the session reads and shows times in the account's zone. */
static enum status account_find(struct call *call, struct err *e)
{
    const char *name[] = { call->globals[GLOBAL_ACCOUNT] };
    struct ctl *c = &call->ctl;
    enum status st =
        ctl_value(c, "SELECT followup.find_named(NULL, 'account', $1)", name, 1, c->account, sizeof c->account, e);
    const char *id[] = { c->account };
    if (st == OK)
        st = once_exec(c->db,
                       "SELECT set_config('TimeZone', a.timezone, false) FROM followup.account AS a "
                       "WHERE a.id = $1::bigint AND followup.known_timezone(a.timezone)",
                       id, 1, NULL, e);
    return st;
}

static enum ctl_exit call_run(struct call *call)
{
    struct err e = { "" };
    bool migrates = strcmp(call->ctl.verb->name, "migrate") == 0;
    enum status st = connect(call, &e);
    if (st == OK && !migrates)
        st = schema_check(&call->ctl, &e);
    if (st == OK && (!call->ctl.verb->without_account || (!migrates && call->globals[GLOBAL_ACCOUNT] != NULL)))
        st = account_find(call, &e);
    enum ctl_exit result = st == OK ? call->ctl.verb->run(&call->ctl) : ctl_fail(st, &e);
    once_close(call->ctl.db);
    free(call->ctl.conninfo);
    return result;
}

/* What installs and shells ask for; no verbs, and not in the help. false: something else was asked. */
static bool answered_shell(int argc, char **argv)
{
    const char *asked = argc > 1 ? argv[1] : "";
    if (strcmp(asked, "--complete") == 0)
        complete_print(global_options, COUNT_OF(global_options), argc - 2, argv + 2);
    else if (strcmp(asked, "--print-man") == 0)
        man_print(global_options, COUNT_OF(global_options));
    else if (strcmp(asked, "--version") == 0)
        puts("followupctl " FOLLOWUPD_VERSION);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    if (answered_shell(argc, argv))
        return fflush(stdout) == 0 ? CTL_OK : CTL_REFUSED;
    struct call call = { .words = calloc((size_t)argc + 1, sizeof(char *)) };
    enum ctl_exit result;
    setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX == 1)
        setlocale(LC_CTYPE, "C.UTF-8"); /* the database's texts are UTF-8 */
    if (call.words == NULL) {
        fputs("followupctl: out of memory\n", stderr);
        return CTL_REFUSED;
    }
    result = call_read(&call, argc, argv);
    call.ctl.words = call.words;
    call.ctl.json = call.globals[GLOBAL_JSON] != NULL;
    if (result == CTL_OK && (call.globals[GLOBAL_HELP] != NULL || argc == 1))
        result = call.ctl.verb != NULL ? help_of(call.ctl.verb) : help_of_all();
    else if (result == CTL_OK)
        result = call_run(&call);
    free(call.words);
    if (fflush(stdout) != 0 && result == CTL_OK)
        result = CTL_REFUSED;
    return (int)result;
}
