/* Messages that may have left: which they are, and what a person found out about them. */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "followupd/base/list.h"

static enum ctl_exit in_doubt_list(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    const struct command_argument arguments[] = { { "limit", ctl_option(c, "limit") } };
    enum status st = ctl_command(c, "in-doubt list", arguments, COUNT_OF(arguments), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, "Nothing is in doubt.");
    once_rows_free(rows);
    return CTL_OK;
}

static enum ctl_exit in_doubt_settle(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    const char *message = c->words[0];
    if (strncmp(message, "m-", 2) == 0)
        message += 2; /* as the provider shows it */
    const struct command_argument arguments[] = { { "message", message },
                                                  { "as", c->words[1] },
                                                  { "note", ctl_option(c, "note") } };
    enum status st = ctl_command(c, "in-doubt settle", arguments, COUNT_OF(arguments), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, "");
    once_rows_free(rows);
    return CTL_OK;
}

const struct ctl_verb in_doubt_verbs[] = {
    { "in-doubt list",
      "",
      0,
      0,
      false,
      { { "limit", "N", "at most so many (default 100)" } },
      "messages that may have left",
      "Their POST ended without a clear answer. The daemon asks the provider again under the same key, or for it; what "
      "it\n"
      "cannot settle waits for a person where the account's policy is hold. Look in the provider's log for the key "
      "(type\n"
      "generic), or for the same numbers as fu_id, 1-4711-2 where the key is fu/1/4711/2. Then say what is true: "
      "in-doubt\n"
      "settle. sends_again: its lead is still to be written to, so not_sent would send it.\n",
      in_doubt_list },
    { "in-doubt settle",
      "ID sent|not_sent",
      2,
      2,
      false,
      { { "note", "TEXT", "how you know; kept with the lead" } },
      "says what became of one",
      "sent: it counts as sent, and what comes next is planned. not_sent: it is sent now, with a new key; when nobody "
      "is\n"
      "to be written to any more (stopped, unsubscribed, replaced) it is closed instead. Anything that is not in doubt "
      "is\n"
      "refused. Example:\n"
      "  followupctl in-doubt settle 4711 sent --note \"seen in the provider's log\"\n",
      in_doubt_settle },
    { NULL },
};
