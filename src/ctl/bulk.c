/* Actions on all leads that a filter means, however many: planned, committed with the number of leads, done by the daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "followupd/base/list.h"

static enum ctl_exit show(struct ctl *c, enum status st, struct once_rows *rows, const struct err *e)
{
    if (st != OK)
        return ctl_fail(st, e);
    output_rows(c, rows, "There is no bulk.");
    once_rows_free(rows);
    return CTL_OK;
}

static enum ctl_exit plan(struct ctl *c)
{
    struct err e = { "" };
    char sequence[24], assistant[24];
    struct once_rows *rows = NULL;
    enum status st = ctl_named(c, "sequence", sequence, sizeof sequence, &e);
    if (st == OK)
        st = ctl_named(c, "assistant", assistant, sizeof assistant, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    const struct command_argument arguments[] = {
        { "action", c->words[0] },
        { "filter", ctl_option(c, "filter") },
        { "at", ctl_option(c, "at") },
        { "sequence", sequence[0] != '\0' ? sequence : NULL },
        { "assistant", assistant[0] != '\0' ? assistant : NULL },
        { "note", ctl_option(c, "note") },
        { "include_disqualified", ctl_option(c, "include-disqualified") != NULL ? "true" : NULL },
    };
    if (ctl_option(c, "filter") == NULL)
        return ctl_usage(c, "--filter is missing: --filter '' means every lead");
    st = ctl_command(c, "bulk plan", arguments, COUNT_OF(arguments), &rows, &e);
    return show(c, st, rows, &e);
}

/* Shows how far the bulk is. */
static enum ctl_exit status_show(struct ctl *c, const char *bulk)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    const char *values[] = { c->account, bulk };
    static const char some[] = "SELECT bulk_id, action, filter, state, planned, done, left_alone, undone, kept, "
                               "chunks_done || '/' || chunks AS chunks, errors, run_at, note "
                               "FROM followup.bulk_status($1::bigint, $2::bigint)";
    enum status st = ctl_query(c, some, values, COUNT_OF(values), &rows, &e);
    if (st == OK && bulk != NULL && once_rows_count(rows) == 0) {
        once_rows_free(rows);
        return ctl_fail(err_set(&e, E_NOT_FOUND, "there is no bulk %s", bulk), &e);
    }
    return show(c, st, rows, &e);
}

static enum ctl_exit command_then_status(struct ctl *c, const char *command, const struct command_argument *arguments,
                                         size_t count)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    enum status st = ctl_command(c, command, arguments, count, &rows, &e);
    once_rows_free(rows);
    return st == OK ? status_show(c, c->words[0]) : ctl_fail(st, &e);
}

static enum ctl_exit commit(struct ctl *c)
{
    const struct command_argument arguments[] = { { "bulk", c->words[0] },
                                                  { "expected_count", ctl_option(c, "yes") },
                                                  { "run_at", ctl_option(c, "run-at") } };
    if (ctl_option(c, "yes") == NULL)
        return ctl_usage(c, "--yes N is missing: the number of leads that the plan would be done to");
    return command_then_status(c, "bulk commit", arguments, COUNT_OF(arguments));
}

static enum ctl_exit cancel(struct ctl *c)
{
    const struct command_argument arguments[] = { { "bulk", c->words[0] } };
    return command_then_status(c, "bulk cancel", arguments, COUNT_OF(arguments));
}

static enum ctl_exit undo(struct ctl *c)
{
    const struct command_argument arguments[] = { { "bulk", c->words[0] }, { "note", ctl_option(c, "note") } };
    return command_then_status(c, "bulk undo", arguments, COUNT_OF(arguments));
}

static enum ctl_exit run(struct ctl *c)
{
    struct err e = { "" };
    const char *values[] = { c->account, c->words[0] };
    enum status st =
        once_exec(c->db, "CALL followup.bulk_run($1::bigint, $2::bigint)", values, COUNT_OF(values), NULL, &e);
    return st == OK ? status_show(c, c->words[0]) : ctl_fail(st, &e);
}

static enum ctl_exit status(struct ctl *c)
{
    return status_show(c, c->words_count > 0 ? c->words[0] : NULL);
}

const struct ctl_verb bulk_verbs[] = {
    { "bulk plan",
      "ACTION",
      1,
      1,
      false,
      { { "filter", "F", "required: all leads that meet F" },
        { "sequence", "NAME", "of start and restart" },
        { "assistant", "NAME", "of start and restart" },
        { "at", "T", "when, such as '2026-03-02 09:00' (the account's zone); default now" },
        { "note", "TEXT", "why; shown in the timelines" },
        { "include-disqualified", NULL, "continue and restart leave disqualified leads out; not so with this" } },
      "plans an action on many leads",
      "ACTION is start, continue, restart, skip or stop. Nothing is changed: the leads that it would be done to are\n"
      "remembered, the others are counted by their reason. Then:\n"
      "  followupctl bulk plan restart --filter 'state=processed' --sequence Welcome\n"
      "  followupctl bulk commit 17 --yes 48211\n"
      "  followupctl bulk status 17\n",
      plan },
    { "bulk commit",
      "BULK",
      1,
      1,
      false,
      { { "yes", "N", "required: the number of leads that the plan would be done to" },
        { "run-at", "T", "not before this instant; default at once" } },
      "lets a planned bulk run",
      "The daemon does it, 2,500 leads at a time. With another number nothing is changed, exit status 2.\n",
      commit },
    { "bulk run",
      "BULK",
      1,
      1,
      false,
      { { NULL } },
      "does a committed bulk here and now",
      "Without waiting for the daemon, to the end; when it breaks off, call it again.\n",
      run },
    { "bulk cancel",
      "BULK",
      1,
      1,
      false,
      { { NULL } },
      "lets a bulk go no further",
      "What is done stays done; bulk undo takes it back.\n",
      cancel },
    { "bulk undo",
      "BULK",
      1,
      1,
      false,
      { { "note", "TEXT", "why; required for a stop" } },
      "takes a bulk back as far as nothing is sent",
      "Every lead is as it was, its message of then is scheduled again. Leads whose message left, or who were changed\n"
      "since, are counted and stay. The daemon does it, or bulk run.\n",
      undo },
    { "bulk status",
      "[BULK]",
      0,
      1,
      false,
      { { NULL } },
      "how far a bulk is",
      "Without BULK: the last 100.\n",
      status },
    { NULL },
};
