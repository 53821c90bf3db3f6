/* Questions about what is to leave: why a message has not yet, and how much leaves when. */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "followupd/base/list.h"

#define DAYS_DEFAULT "7"

static enum ctl_exit explain(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    const char *message = c->words[0];
    if (strncmp(message, "m-", 2) == 0) /* as provider and ledger name it */
        message += 2;
    const struct command_argument arguments[] = { { "message", message } };
    enum status st = ctl_command(c, "explain", arguments, COUNT_OF(arguments), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, "");
    once_rows_free(rows);
    return CTL_OK;
}

static enum ctl_exit forecast(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    const char *days = ctl_option(c, "days");
    if (days != NULL && (days[0] == '\0' || strlen(days) > 3 || strspn(days, "0123456789") != strlen(days)))
        return ctl_usage(c, "--days takes a whole number from 1 to 366, not \"%.60s\"", days);
    const char *values[] = { c->account, days != NULL ? days : DAYS_DEFAULT };
    enum status st = ctl_query(c,
                               "SELECT f.hour, a.name AS assistant, f.messages "
                               "FROM followup.forecast($1::bigint, $2::integer) AS f "
                               "JOIN followup.assistant AS a ON a.account_id = $1::bigint AND a.id = f.assistant_id "
                               "ORDER BY f.hour, a.name",
                               values, COUNT_OF(values), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, "Nothing will leave in these days.");
    once_rows_free(rows);
    return CTL_OK;
}

const struct ctl_verb plan_verbs[] = {
    { "explain",
      "MESSAGE",
      1,
      1,
      false,
      { { NULL } },
      "why a message has not left yet",
      "One line a cause: due later, waiting after a failed try, send window, holiday, daily cap, hold, pause,\n"
      "suppression, in doubt, no worker. clears_at is when it clears by itself; empty: when somebody acts.\n"
      "MESSAGE is an id, as preview and lead show give it (m-17 is read as 17). Example:\n"
      "  followupctl explain 17\n",
      explain },
    { "forecast",
      "",
      0,
      0,
      false,
      { { "days", "N", "how far to look, 1 to 366; default " DAYS_DEFAULT } },
      "what will leave in each hour, by assistant",
      "What is scheduled and the steps after it, planned as the engine will plan them, if nobody answers or acts.\n"
      "Later steps may be moved by a daily cap. What is paused or held is left out. Example:\n"
      "  followupctl forecast --days 2\n",
      forecast },
    { NULL },
};
