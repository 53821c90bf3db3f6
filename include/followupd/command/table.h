/* table: what people can ask for, each as one SQL function with typed parameters. followupctl and the HTTP front check
 * what they were given against it and get a statement to run: one validated command is one SQL function.
 *
 * Checks   names and types only: whether a lead may be started is for the function to say.
 * Ownership  a call borrows the values it was given and owns its statement (a fixed buffer); no heap.
 * Errors   E_INVALID names the parameter: an unknown one, a missing one, or a value of another type. */
#ifndef FOLLOWUPD_COMMAND_TABLE_H
#define FOLLOWUPD_COMMAND_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "followupd/base/status.h"

#define COMMAND_PARAMETERS_MAX 12
#define COMMAND_SQL_BYTES_MAX  1024

enum command_type {
    COMMAND_ID,      /* 17 -> bigint */
    COMMAND_IDS,     /* {17,18} -> bigint[] */
    COMMAND_NUMBER,  /* 100 -> integer */
    COMMAND_FLAG,    /* true, false -> boolean */
    COMMAND_INSTANT, /* as PostgreSQL reads timestamptz */
    COMMAND_TEXT,
    COMMAND_JSON,
};

struct command_parameter {
    const char *name; /* without the function's p_; NULL ends the list */
    enum command_type type;
    bool required;
};

struct command {
    const char *verb;     /* "start", "account add" */
    const char *function; /* followup.start_follow_up */
    const char *sentence;
    bool changes; /* false: only reads */
    struct command_parameter parameters[COMMAND_PARAMETERS_MAX];
};

struct command_argument {
    const char *name;
    const char *value; /* NULL: as if it was not given */
};

struct command_call {
    char sql[COMMAND_SQL_BYTES_MAX]; /* SELECT * FROM followup.f(p_account => $1::bigint, ...) */
    const char *values[COMMAND_PARAMETERS_MAX];
    size_t values_count;
};

extern const struct command commands[];
extern const size_t commands_count;

const struct command *command_find(const char *verb); /* NULL: no such verb */
MUST_USE enum status command_call_make(const struct command *c, const struct command_argument *arguments,
                                       size_t arguments_count, struct command_call *ret, struct err *e);

#endif
