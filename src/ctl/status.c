/* What the engine has to do and who does it. */
#include <stdio.h>

#include "ctl.h"

static enum status status_print(struct ctl *c, struct err *e)
{
    struct once_rows *accounts = NULL, *alerts = NULL, *workers = NULL;
    char now[64];
    enum status st = ctl_command(c, "status", NULL, 0, &accounts, e);
    if (st == OK)
        st = ctl_command(c, "alerts", NULL, 0, &alerts, e);
    if (st == OK)
        st = ctl_command(c, "engine status", NULL, 0, &workers, e);
    if (st == OK)
        st = ctl_value(c, "SELECT date_trunc('seconds', followup.now())", NULL, 0, now, sizeof now, e);
    if (st == OK && c->json) {
        output_json(json_pack("{s:s,s:o,s:o,s:o}", "now", now, "accounts", output_rows_json(accounts), "alerts",
                              output_rows_json(alerts), "workers", output_rows_json(workers)));
    } else if (st == OK) {
        printf("business time %s\n\n", now);
        output_rows(c, accounts, "There is no account yet.");
        putchar('\n');
        if (once_rows_count(alerts) > 0) {
            output_rows(c, alerts, "");
            putchar('\n');
        }
        output_rows(c, workers, "No worker: nothing is being sent. Is followupd running?");
    }
    once_rows_free(accounts);
    once_rows_free(alerts);
    once_rows_free(workers);
    return st;
}

static enum ctl_exit status(struct ctl *c)
{
    struct err e = { "" };
    if (ctl_option(c, "watch") != NULL && c->account[0] != '\0')
        return ctl_usage(c, "--watch shows the engine, which works for all accounts: leave --account out");
    if (ctl_option(c, "watch") != NULL)
        return watch_run(c);
    enum status st = status_print(c, &e);
    return st == OK ? CTL_OK : ctl_fail(st, &e);
}

const struct ctl_verb status_verbs[] = {
    { "status",
      "",
      0,
      0,
      true,
      { { "watch", NULL, "the whole engine, again every two seconds, until Ctrl-C" } },
      "what is due, in flight and sent; who works",
      "One line an account (--account for one): overdue, due within a minute, an hour and a day, in flight, in doubt "
      "(it\n"
      "is not known whether they left), sent in the last hour. Then what a person should see: "
      "paused by its bounce\n"
      "rate, blocked mail, events that failed or may be missing. Then the workers: alive is holding shards under a "
      "lease;\n"
      "64 shards hold all accounts.\n\n"
      "--watch is made for looking at all day: what is due, in flight and waiting over all accounts, how late "
      "messages\n"
      "left in the last minute, who holds the shards, what each worker says of itself (the figures of its /metrics, "
      "at\n"
      "most some seconds old), and what providers answered that was no yes. It is drawn in place on a terminal;\n"
      "elsewhere each look is a line, with --json an object. It goes on when the database is away.\n",
      status },
    { NULL },
};
