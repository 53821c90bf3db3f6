/* Statuses of other systems: the rules about them, one by hand, and what the rules of now would have done. */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "followupd/base/list.h"

static enum ctl_exit rules(struct ctl *c)
{
    const struct command_argument arguments[] = { { "source", ctl_option(c, "source") } };
    return ctl_ask(c, arguments, COUNT_OF(arguments), "There is no rule for this source.");
}

static enum ctl_exit rule(struct ctl *c)
{
    const struct command_argument arguments[] = {
        { "source", c->words[0] },           { "value", c->words[1] },
        { "action", c->words[2] },           { "label", ctl_option(c, "label") },
        { "field", ctl_option(c, "field") }, { "operator", ctl_option(c, "operator") },
        { "note", ctl_option(c, "note") }
    };
    return ctl_ask(c, arguments, COUNT_OF(arguments), "");
}

static enum ctl_exit replay(struct ctl *c)
{
    const char *days = ctl_option(c, "days");
    const char *values[] = { c->account, days != NULL ? days : "30" };
    struct err e = { "" };
    struct once_rows *rows = NULL;
    if (days != NULL && (days[0] == '\0' || strlen(days) > 4 || strspn(days, "0123456789") != strlen(days)))
        return ctl_usage(c, "--days takes a whole number from 1 to 3660, not \"%.60s\"", days);
    enum status st = ctl_query(c,
                               ctl_option(c, "all") != NULL
                                   ? "SELECT * FROM followup.crm_replay($1::bigint, $2::integer)"
                                   : "SELECT * FROM followup.crm_replay($1::bigint, $2::integer) AS r WHERE r.differs",
                               values, COUNT_OF(values), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, "The rules of now would have done the same.");
    once_rows_free(rows);
    return CTL_OK;
}

static enum ctl_exit status(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    const struct command_argument arguments[] = { { "source", c->words[0] },
                                                  { "external_id", c->words[1] },
                                                  { "code", c->words[2] },
                                                  { "note", ctl_option(c, "note") } };
    enum status st = ctl_command(c, "crm status", arguments, COUNT_OF(arguments), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    bool done = once_bool(rows, 0, 2); /* json, lead_id, done */
    output_rows(c, rows, "");
    once_rows_free(rows);
    return done ? CTL_OK : CTL_REFUSED;
}

const struct ctl_verb crm_verbs[] = {
    { "crm rules",
      "",
      0,
      0,
      false,
      { { "source", "NAME", "of this system only, such as HigherGear" } },
      "what statuses of other systems do",
      "Built-in rules and the account's own; \"built in, locked\" cannot be changed.\n",
      rules },
    { "crm rule",
      "SOURCE VALUE ACTION",
      3,
      3,
      false,
      { { "label", "TEXT", "what the value means" },
        { "field", "NAME", "a key of the lead's fields; default crm_status" },
        { "operator", "WHICH", "equals (default), or changes_to: only when another value was there" },
        { "note", "TEXT", "why; kept in the record" } },
      "chooses what a status does",
      "ACTION is stop, skip_to_follow_up or none. A stop is also for leads that are new or processed. Example:\n"
      "  followupctl crm rule HigherGear 12 skip_to_follow_up --note 'ask what went wrong'\n",
      rule },
    { "crm replay",
      "",
      0,
      0,
      false,
      { { "days", "N", "how far back, 1 to 3660; default 30" }, { "all", NULL, "also what would be the same" } },
      "what the rules of now would have done",
      "Every status that came in these days is held against the rules of now; nothing is changed. Shows where they "
      "would\n"
      "have done something else.\n",
      replay },
    { "crm status",
      "SOURCE EXTERNAL_ID CODE",
      3,
      3,
      false,
      { { "note", "TEXT", "why; kept in the record" } },
      "gives a lead a status of another system",
      "As the other system would: it is kept in the lead and recorded, and the rule for it is applied.\n",
      status },
    { NULL },
};
