/* What the engine has to do and who does it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"

#define WATCH_MS 2000

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static enum status status_print(struct ctl *c, struct err *e)
{
    struct once_rows *accounts = NULL, *workers = NULL;
    char now[64];
    enum status st = ctl_command(c, "status", NULL, 0, &accounts, e);
    if (st == OK)
        st = ctl_command(c, "engine status", NULL, 0, &workers, e);
    if (st == OK)
        st = ctl_value(c, "SELECT date_trunc('seconds', followup.now())", NULL, 0, now, sizeof now, e);
    if (st == OK && c->json) {
        output_json(json_pack("{s:s,s:o,s:o}", "now", now, "accounts", output_rows_json(accounts), "workers",
                              output_rows_json(workers)));
    } else if (st == OK) {
        printf("business time %s\n\n", now);
        output_rows(c, accounts, "There is no account yet.");
        putchar('\n');
        output_rows(c, workers, "No worker: nothing is being sent. Is followupd running?");
    }
    once_rows_free(accounts);
    once_rows_free(workers);
    return st;
}

static enum ctl_exit status(struct ctl *c)
{
    struct err e = { "" };
    const struct timespec pause = { WATCH_MS / 1000, WATCH_MS % 1000 * 1000000L };
    enum status st = OK;
    if (ctl_option(c, "watch") == NULL) {
        st = status_print(c, &e);
        return st == OK ? CTL_OK : ctl_fail(st, &e);
    }
    const struct sigaction action = { .sa_handler = on_interrupt };
    sigaction(SIGINT, &action, NULL);
    while (!interrupted && st == OK) {
        if (!c->json && isatty(STDOUT_FILENO))
            fputs("\033[H\033[J", stdout);
        st = status_print(c, &e);
        fflush(stdout);
        if (st == OK && !interrupted)
            nanosleep(&pause, NULL); /* a signal ends it early */
    }
    return st == OK ? CTL_OK : ctl_fail(st, &e);
}

const struct ctl_verb status_verbs[] = {
    { "status",
      "",
      0,
      0,
      true,
      { { "watch", NULL, "again every two seconds, until Ctrl-C" } },
      "what is due, in flight and sent; who works",
      "One line an account (--account for one): overdue, due within a minute, an hour and a day, in flight, in doubt "
      "(it\n"
      "is not known whether they left), sent in the last hour. Then the workers: alive is holding shards under a "
      "lease;\n"
      "64 shards hold all accounts.\n",
      status },
    { NULL },
};
