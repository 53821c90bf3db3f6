/* What is done to leads: start, continue, restart, skip, stop; and preview. By filter an action is tried first and
 * taken back, its counts are shown, and it is done only when the number of leads is typed (or --yes holds it). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "followupd/base/list.h"

#define ROWS_SHOWN_MAX 50
#define REASONS_MAX    32
#define LEADS_AT_ONCE  10000 /* in one transaction; more are a bulk */

struct action {
    const char *verb, *done_word;
    char *leads;                     /* owned: {17,18} */
    struct command_argument more[8]; /* borrowed */
    size_t more_count;
    struct once_rows *rows; /* of the last try: json, lead_id, email, done, reason, ... */
    size_t done;
    struct reason_count {
        const char *reason; /* borrowed from rows */
        size_t count;
    } reasons[REASONS_MAX];
    size_t reasons_count;
};
enum { COLUMN_DONE = 3, COLUMN_REASON = 4 };

/* --- which leads -------------------------------------------------------------------------------------------------- */

static enum status ids_value(struct ctl *c, const char *sql, const char *value, char **ret, struct err *e)
{
    const char *values[] = { c->account, value };
    struct once_rows *rows = NULL;
    enum status st = once_exec(c->db, sql, values, COUNT_OF(values), &rows, e);
    if (st != OK)
        return st;
    *ret = strdup(once_value(rows, 0, 0));
    once_rows_free(rows);
    return *ret != NULL ? OK : err_set(e, E_NOMEM, "out of memory");
}

static enum status leads_find(struct ctl *c, char **ret, struct err *e)
{
    const char *filter = ctl_option(c, "filter");
    if (filter != NULL)
        return ids_value(c,
                         "SELECT coalesce(array_agg(f ORDER BY f), '{}') FROM followup.find_leads($1::bigint, $2) AS f",
                         filter, ret, e);
    json_t *words = json_array();
    for (size_t i = 0; i < c->words_count; i++)
        if (json_array_append_new(words, json_string(c->words[i])) != 0) {
            json_decref(words);
            return err_set(e, E_INVALID, "lead %zu is not UTF-8", i + 1);
        }
    char *text = json_dumps(words, JSON_COMPACT);
    json_decref(words);
    enum status st = text != NULL ? ids_value(c, "SELECT followup.find_lead_ids($1::bigint, $2::jsonb)", text, ret, e)
                                  : err_set(e, E_NOMEM, "out of memory");
    free(text);
    return st;
}

static size_t leads_count(const struct action *a)
{
    size_t count = a->leads[1] != '}';
    for (const char *at = a->leads; *at != '\0'; at++)
        count += *at == ',';
    return count;
}

/* --- a try, inside a transaction ---------------------------------------------------------------------------------- */

static void counts_take(struct action *a)
{
    a->done = a->reasons_count = 0;
    for (size_t row = 0; row < once_rows_count(a->rows); row++) {
        const char *reason = once_value(a->rows, row, COLUMN_REASON);
        size_t i = 0;
        if (once_bool(a->rows, row, COLUMN_DONE)) {
            a->done++;
            continue;
        }
        reason = reason != NULL ? reason : "not done";
        while (i < a->reasons_count && strcmp(a->reasons[i].reason, reason) != 0)
            i++;
        if (i == a->reasons_count && i < REASONS_MAX)
            a->reasons[a->reasons_count++] = (struct reason_count){ reason, 0 };
        if (i < REASONS_MAX)
            a->reasons[i].count++;
    }
}

static enum status action_call(struct ctl *c, struct action *a, struct command_call *ret, struct err *e)
{
    struct command_argument arguments[COMMAND_PARAMETERS_MAX] = { { "account", c->account }, { "leads", a->leads } };
    size_t count = 2;
    if (ctl_option(c, "at") != NULL)
        arguments[count++] = (struct command_argument){ "at", ctl_option(c, "at") };
    if (ctl_option(c, "note") != NULL)
        arguments[count++] = (struct command_argument){ "note", ctl_option(c, "note") };
    for (size_t i = 0; i < a->more_count; i++)
        if (a->more[i].value != NULL)
            arguments[count++] = a->more[i];
    return command_call_make(command_find(a->verb), arguments, count, ret, e);
}

/* Begins a transaction and leaves it open: the caller commits or rolls back. */
static enum status action_try(struct ctl *c, struct action *a, struct err *e)
{
    struct command_call call;
    char *sql = NULL;
    enum status st = action_call(c, a, &call, e);
    once_rows_free(a->rows);
    a->rows = NULL;
    if (st == OK)
        st = once_script(c->db, "BEGIN", e);
    if (st != OK)
        return st;
    if (asprintf(
            &sql,
            "WITH r AS MATERIALIZED (SELECT row_number() OVER () AS n, f.* FROM (%s) AS f) "
            "SELECT r.lead_id, l.email, r.done, concat_ws('/', r.reason, CASE WHEN NOT r.done THEN r.sub_state END) "
            "AS reason, r.message_id, r.due_at, r.in_flight FROM r "
            "LEFT JOIN followup.lead AS l ON l.account_id = %s AND l.id = r.lead_id ORDER BY r.n",
            call.sql, c->account) < 0)
        return err_set(e, E_NOMEM, "out of memory");
    st = ctl_query(c, sql, call.values, call.values_count, &a->rows, e);
    free(sql);
    if (st == OK)
        counts_take(a);
    return st;
}

static enum ctl_exit take_back(struct ctl *c, enum ctl_exit result)
{
    struct err e = { "" };
    enum status st = once_script(c->db, "ROLLBACK", &e);
    return st == OK ? result : ctl_fail(st, &e);
}

/* --- telling ------------------------------------------------------------------------------------------------------ */

/* What is wrong with the call, whichever leads it names; NULL: nothing, or some leads were done. */
static const char *call_complaint(const struct action *a)
{
    for (size_t i = 0; i < a->reasons_count && a->done == 0; i++) {
        if (strcmp(a->reasons[i].reason, "past_instant") == 0)
            return CTL_PAST_INSTANT;
        if (strcmp(a->reasons[i].reason, "no_steps") == 0)
            return "no sequence with steps is named";
    }
    return NULL;
}

static void counts_print(FILE *out, const struct action *a, const char *done_word)
{
    fprintf(out, "%zu %s", a->done, done_word);
    for (size_t i = 0; i < a->reasons_count; i++)
        fprintf(out, "%s%zu %s", i == 0 ? "; left alone: " : ", ", a->reasons[i].count, a->reasons[i].reason);
    fputc('\n', out);
}

static json_t *counts_json(const struct action *a)
{
    json_t *counts = json_object();
    for (size_t i = 0; i < a->reasons_count; i++)
        json_object_set_new(counts, a->reasons[i].reason, json_integer((json_int_t)a->reasons[i].count));
    return counts;
}

static void outcome_print(const struct ctl *c, const struct action *a)
{
    if (c->json) {
        output_json(json_pack("{s:s,s:I,s:o,s:o}", "action", a->verb, "done", (json_int_t)a->done, "left_alone",
                              counts_json(a), "leads", output_rows_json(a->rows)));
        return;
    }
    if (once_rows_count(a->rows) <= ROWS_SHOWN_MAX)
        output_rows(c, a->rows, "No lead was named.");
    counts_print(stdout, a, a->done_word);
}

/* --- the verb ----------------------------------------------------------------------------------------------------- */

/* -1: told already. */
static long count_read(const struct ctl *c, const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0') {
        ctl_usage(c, "\"%s\" is not a number of leads", text);
        return -1;
    }
    return number;
}

/* Shows what the action would do, with nothing changed, and reads the number that a person types. -1: do not go on. */
static long count_ask(struct ctl *c, struct action *a)
{
    struct err e = { "" };
    char line[64] = "";
    enum status st = action_try(c, a, &e);
    if (take_back(c, CTL_OK) != CTL_OK)
        return -1;
    if (st != OK) {
        ctl_fail(st, &e);
        return -1;
    }
    if (call_complaint(a) != NULL) {
        ctl_unchanged(call_complaint(a));
        return -1;
    }
    fprintf(stderr, "%s, by filter, as things are now: ", a->verb);
    counts_print(stderr, a, "would be done");
    if (a->done == 0)
        return 0;
    if (c->json) {
        ctl_usage(c, "nothing is changed yet: give --yes %zu", a->done);
        return -1;
    }
    fprintf(stderr, "Type the number of leads to go on: ");
    if (fgets(line, sizeof line, stdin) == NULL || line[strspn(line, " \n")] == '\0') {
        fprintf(stderr, "\nnothing is changed\n");
        return -1;
    }
    line[strcspn(line, "\n")] = '\0';
    return count_read(c, line);
}

static enum ctl_exit action_do(struct ctl *c, struct action *a, long expected)
{
    struct err e = { "" };
    enum status st = action_try(c, a, &e);
    if (st != OK) {
        enum ctl_exit result = ctl_fail(st, &e);
        return st == E_GONE ? result : take_back(c, result);
    }
    if (call_complaint(a) != NULL)
        return take_back(c, ctl_unchanged(call_complaint(a)));
    if (expected >= 0 && (size_t)expected != a->done) {
        fprintf(stderr, "followupctl: nothing is changed: %zu leads, not %ld: ", a->done, expected);
        counts_print(stderr, a, "would be done");
        return take_back(c, CTL_USAGE);
    }
    st = ctl_commit(c, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    outcome_print(c, a);
    return a->done > 0 ? CTL_OK : CTL_REFUSED;
}

enum ctl_exit ctl_act(struct ctl *c, const char *done_word, const struct command_argument *more, size_t more_count)
{
    struct action a = { .verb = c->verb->name, .done_word = done_word };
    struct err e = { "" };
    const char *filter = ctl_option(c, "filter"), *yes = ctl_option(c, "yes");
    enum ctl_exit result = CTL_USAGE;
    long expected = -1;
    if ((filter != NULL) == (c->words_count > 0))
        return ctl_usage(c, "name leads (ids or addresses), or give --filter: one of the two");
    for (size_t i = 0; i < more_count && a.more_count < COUNT_OF(a.more); i++)
        a.more[a.more_count++] = more[i];
    enum status st = leads_find(c, &a.leads, &e);
    if (st != OK) {
        result = ctl_fail(st, &e);
        goto out;
    }
    if (filter != NULL && leads_count(&a) == 0) {
        fprintf(stderr, "followupctl: nothing is changed: no lead meets the filter \"%s\"\n", filter);
        goto out;
    }
    if (filter != NULL && leads_count(&a) > LEADS_AT_ONCE) {
        result =
            ctl_usage(c, "the filter means %zu leads, over %d go in chunks: followupctl bulk plan %s --filter '%s'",
                      leads_count(&a), LEADS_AT_ONCE, c->verb->name, filter);
        goto out;
    }
    if (yes != NULL && (expected = count_read(c, yes)) < 0)
        goto out;
    if (yes == NULL && filter != NULL && (expected = count_ask(c, &a)) < 0)
        goto out;
    result = action_do(c, &a, expected);
out:
    once_rows_free(a.rows);
    free(a.leads);
    return result;
}

/* start and restart choose a sequence and an assistant; a bulk leaves disqualified leads out unless they are asked for. */
static enum ctl_exit choice_run(struct ctl *c, const char *done_word, bool bulk_asks)
{
    struct err e = { "" };
    char sequence[24], assistant[24];
    bool left_out = bulk_asks && ctl_option(c, "filter") != NULL && ctl_option(c, "disqualified") == NULL;
    enum status st = ctl_named(c, "sequence", sequence, sizeof sequence, &e);
    if (st == OK)
        st = ctl_named(c, "assistant", assistant, sizeof assistant, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    const struct command_argument more[] = { { "sequence", sequence[0] != '\0' ? sequence : NULL },
                                             { "assistant", assistant[0] != '\0' ? assistant : NULL },
                                             { "disqualified", left_out ? "false" : NULL } };
    return ctl_act(c, done_word, more, COUNT_OF(more));
}

static enum ctl_exit start(struct ctl *c)
{
    return choice_run(c, "started", false);
}
static enum ctl_exit go_on(struct ctl *c)
{
    bool left_out = ctl_option(c, "filter") != NULL && ctl_option(c, "disqualified") == NULL;
    const struct command_argument more[] = { { "disqualified", left_out ? "false" : NULL } };
    return ctl_act(c, "continued", more, COUNT_OF(more));
}
static enum ctl_exit restart(struct ctl *c)
{
    return choice_run(c, "restarted", true);
}
static enum ctl_exit skip(struct ctl *c)
{
    return ctl_act(c, "skipped to the follow-up", NULL, 0);
}
static enum ctl_exit stop(struct ctl *c)
{
    return ctl_act(c, "stopped", NULL, 0);
}

static enum ctl_exit preview(struct ctl *c)
{
    struct err e = { "" };
    char lead[24];
    struct once_rows *rows = NULL;
    enum status st = ctl_lead(c, c->words[0], lead, sizeof lead, &e);
    const struct command_argument arguments[] = { { "lead", lead } };
    if (st == OK)
        st = ctl_command(c, "preview", arguments, COUNT_OF(arguments), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, "Nothing is planned for this lead.");
    once_rows_free(rows);
    return CTL_OK;
}

#define FILTER                                                                                                         \
    {                                                                                                                  \
        "filter", "F", "all leads that meet F, instead of naming them"                                                 \
    }
#define YES                                                                                                            \
    {                                                                                                                  \
        "yes", "N", "do it if it is done to exactly N leads; else nothing is changed, exit status 2"                   \
    }
#define NOTE                                                                                                           \
    {                                                                                                                  \
        "note", "TEXT", "why; shown in the timeline"                                                                   \
    }
#define AT                                                                                                             \
    {                                                                                                                  \
        "at", "T", "when, such as '2026-03-02 09:00' (the account's zone); default now"                                \
    }
#define CHOICE                                                                                                         \
    { "sequence", "NAME", "the sequence" },                                                                            \
    {                                                                                                                  \
        "assistant", "NAME", "who writes; default the only one"                                                        \
    }
#define LEADS_HELP                                                                                                     \
    "Leads are ids or addresses. With --filter the outcome is counted first, with nothing changed, and you are "       \
    "asked\n"                                                                                                          \
    "to type the number of leads (or give it with --yes). Every lead that is left alone is counted by its reason.\n"   \
    "Messages that had left for the provider already are listed as in_flight: they cannot be called back.\n"
#define DISQUALIFIED                                                                                                   \
    {                                                                                                                  \
        "disqualified", NULL, "with --filter: leads of status disqualified too"                                        \
    }
#define WORDS "LEAD... | --filter F"

const struct ctl_verb action_verbs[] = {
    { "start",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { CHOICE, AT, NOTE, FILTER, YES },
      "starts leads on a sequence",
      "For new leads. " LEADS_HELP "Example:\n  followupctl start --filter 'state=new country=DE' --sequence Welcome\n",
      start },
    { "continue",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { AT, NOTE, FILTER, YES, DISQUALIFIED },
      "goes on where a conversation ended",
      "For processed leads: the first message of the newest version that has not been sent yet. " LEADS_HELP,
      go_on },
    { "restart",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { CHOICE, AT, NOTE, FILTER, YES, DISQUALIFIED },
      "starts again from the first message",
      "On the same or another sequence. " LEADS_HELP,
      restart },
    { "skip",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { AT, NOTE, FILTER, YES },
      "skips to the follow-up",
      "Cancels what is pending; the follow-up that asks for feedback goes 48 hours from now (the account's\n"
      "follow_up_delay). " LEADS_HELP,
      skip },
    { "stop",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { NOTE, FILTER, YES },
      "ends messaging at once",
      "Nothing more is sent. " LEADS_HELP,
      stop },
    { "preview",
      "LEAD",
      1,
      1,
      false,
      { { NULL } },
      "what a lead will get, and when",
      "The time shown is the time sent: the engine plans with the same function.\n",
      preview },
    { NULL },
};
