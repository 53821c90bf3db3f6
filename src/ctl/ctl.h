/* ctl: what the verbs of followupctl share. A verb checks its words, calls one SQL function through the table of
 * commands, prints the answer for people or as JSON, and gives the exit status. No rule about leads is in here.
 *
 * Ownership  main opens and closes the connection; words are argv's. Rows are the verb's to free.
 * Errors     told once, on standard error, by ctl_fail; what a program reads goes to standard output alone. */
#ifndef FOLLOWUPD_CTL_CTL_H
#define FOLLOWUPD_CTL_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/status.h"
#include "followupd/command/table.h"
#include "followupd/db/once.h"

enum ctl_exit {
    CTL_OK = 0,
    CTL_REFUSED = 1, /* the database refused, nothing was done, or nobody knows (ctl_commit) */
    CTL_USAGE = 2,   /* the call or its input is wrong; nothing was done */
};

#define CTL_OPTIONS_MAX 12

struct ctl_option {
    const char *name;  /* without its dashes; NULL ends the list */
    const char *value; /* what stands behind it in the help; NULL: a flag */
    const char *sentence;
};

struct ctl {
    struct once *db;
    char *conninfo; /* owned by main */
    bool json;
    char account[24]; /* id, of verbs that need one */
    const struct ctl_verb *verb;
    const char *const *words; /* after the verb */
    size_t words_count;
    const char *values[CTL_OPTIONS_MAX]; /* parallel to the verb's options; NULL: not given, "" for a flag that was */
};

struct ctl_verb {
    const char *name;  /* "lead import" */
    const char *words; /* as the help shows them */
    size_t words_min, words_max;
    bool without_account;
    struct ctl_option options[CTL_OPTIONS_MAX];
    const char *sentence;
    const char *help; /* teaches; whole lines */
    enum ctl_exit (*run)(struct ctl *c);
};

/* One table a file; each ends with a verb whose name is NULL. */
extern const struct ctl_verb account_verbs[], sequence_verbs[], lead_verbs[], action_verbs[], bulk_verbs[],
    operate_verbs[], plan_verbs[], crm_verbs[], reply_verbs[], status_verbs[], in_doubt_verbs[], webhook_verbs[],
    check_verbs[];

/* Every verb in the order of the tables; NULL past the last. */
const struct ctl_verb *ctl_verb_at(size_t index);
/* ("lead", "import"), or ("start", NULL); NULL: there is none. */
const struct ctl_verb *ctl_verb_find(const char *first, const char *second);

/* Opens the connection anew after it broke. On failure the old one, which answers E_GONE, stays. */
MUST_USE enum status ctl_reconnect(struct ctl *c, struct err *e);

/* The value of an option, NULL when it was not given. The name must be one of the verb's. */
const char *ctl_option(const struct ctl *c, const char *name);

/* Tells what went wrong and gives the exit status that fits. */
enum ctl_exit ctl_fail(enum status st, const struct err *e);
/* The call is right in form and cannot be meant: one sentence, and that nothing is changed. */
enum ctl_exit ctl_unchanged(const char *complaint);
#define CTL_PAST_INSTANT "the instant is in the past"
enum ctl_exit ctl_usage(const struct ctl *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Runs a query; the first column of the rows is `json`, the row as an object, the query's own columns follow. */
MUST_USE enum status ctl_query(struct ctl *c, const char *sql, const char *const *values, size_t values_count,
                               struct once_rows **ret, struct err *e);
/* The same for a command of the table. `account` is added where the command takes one. A connection that breaks in a change,
 * here or in ctl_commit, leaves open whether it was done: the error says so. */
MUST_USE enum status ctl_command(struct ctl *c, const char *verb, const struct command_argument *arguments,
                                 size_t count, struct once_rows **ret, struct err *e);
MUST_USE enum status ctl_commit(struct ctl *c, struct err *e);
/* Runs the verb's own command of the table and prints the rows, or `nothing` when there is none. */
enum ctl_exit ctl_ask(struct ctl *c, const struct command_argument *arguments, size_t count, const char *nothing);
/* The first value of the only row, as text; "" for NULL. */
MUST_USE enum status ctl_value(struct ctl *c, const char *sql, const char *const *values, size_t values_count,
                               char *ret, size_t ret_bytes, struct err *e);
/* The id of the sequence or assistant that an option names; ret is "" when it was not given. */
MUST_USE enum status ctl_named(struct ctl *c, const char *kind, char *ret, size_t ret_bytes, struct err *e);
MUST_USE enum status ctl_lead(struct ctl *c, const char *word, char *ret, size_t ret_bytes, struct err *e);

/* --- action.c: what is done to leads, named or by --filter --------------------------------------------------------- */

/* Runs the verb's command over the leads that its words or its --filter name, after --yes or a typed number where it is
 * by filter, and tells what was done and what was left alone. `more` are arguments of the command beside account, leads,
 * at and note; those without a value are left out. */
enum ctl_exit ctl_act(struct ctl *c, const char *done_word, const struct command_argument *more, size_t more_count);

/* status --watch; ends on a signal, or when the database refuses. */
enum ctl_exit watch_run(struct ctl *c);

/* --- man.c and complete.c ----------------------------------------------------------------------------------------- */

/* followupctl(1) on standard output. */
void man_print(const struct ctl_option *globals, size_t globals_count);
/* What may stand for the last of the words, a line each; COMPLETE_FILES: the name of a file. */
void complete_print(const struct ctl_option *globals, size_t globals_count, int words_count, char **words);
#define COMPLETE_FILES ":files:"

/* --- output.c ---------------------------------------------------------------------------------------------------- */

/* Rows of ctl_query: a JSON array, or an aligned table without column `json`. Nothing there: "nothing" in words. */
void output_rows(const struct ctl *c, const struct once_rows *rows, const char *nothing);
/* Takes the reference. */
void output_json(json_t *value);
/* Text from the database for a terminal: control characters are replaced. */
void output_text(const char *text);
/* The same, at most `cells` wide. */
void output_text_cut(const char *text, int cells);
/* A value as a person reads it: yes and no, instants to the second, "" for NULL. It may be written into room. */
const char *output_shown(const struct once_rows *rows, size_t row, size_t column, char room[64]);
/* One "name  value" line, the value's control characters replaced; NULL values are left out. */
void output_pair(const char *name, const char *value);
/* The rows' `json` column as an array; NULL: out of memory. */
json_t *output_rows_json(const struct once_rows *rows);

#endif
