/* What must always be true, asked of the database. */
#include <stdio.h>
#include <stdlib.h>

#include "ctl.h"
#include "followupd/base/list.h"

/* Columns of followup.invariants behind `json`. */
enum { INVARIANT = 1, BROKEN, EXAMPLES, MEANING };

static enum ctl_exit check(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    const struct command_argument arguments[] = { { "full", ctl_option(c, "full") != NULL ? "true" : "false" } };
    enum status st = ctl_command(c, "check", arguments, COUNT_OF(arguments), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    size_t broken = 0;
    for (size_t row = 0; row < once_rows_count(rows); row++) {
        if (strtoll(once_value(rows, row, BROKEN), NULL, 10) == 0)
            continue;
        broken++;
        if (c->json)
            continue;
        printf("%s: %s times: %s\n  such as ", once_value(rows, row, INVARIANT), once_value(rows, row, BROKEN),
               once_value(rows, row, MEANING));
        output_text(once_value(rows, row, EXAMPLES));
        putchar('\n');
    }
    if (c->json)
        output_json(output_rows_json(rows));
    else
        printf("%zu of %zu invariants hold\n", once_rows_count(rows) - broken, once_rows_count(rows));
    once_rows_free(rows);
    return broken == 0 ? CTL_OK : CTL_REFUSED;
}

const struct ctl_verb check_verbs[] = {
    { "check",
      "",
      0,
      0,
      true,
      { { "full", NULL, "of everything stored, not only what is pending and what was tried within the last hour" } },
      "whether what must always be true is true",
      "Nothing begun after a stop, nothing accepted under two keys, nothing sent early, one message to come for every\n"
      "active conversation that is not held, nothing due that nobody works on, and the like. Changes nothing; exit\n"
      "status 1 when one is broken, with examples. --full reads every table, which takes minutes in a large "
      "database.\n",
      check },
    { NULL },
};
