/* What a person has to say about webhooks. */
#include "ctl.h"
#include "followupd/base/list.h"

static enum ctl_exit confirmations(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    const struct command_argument arguments[] = { { "source", ctl_option(c, "source") } };
    enum status st = ctl_command(c, "webhook list", arguments, COUNT_OF(arguments), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, "Nothing waits to be confirmed.");
    once_rows_free(rows);
    return CTL_OK;
}

const struct ctl_verb webhook_verbs[] = {
    { "webhook list",
      "",
      0,
      0,
      false,
      { { "source", "NAME", "of this [webhook.NAME] alone" } },
      "SNS topics that ask whether they may send",
      "Amazon SNS sends nothing until its subscription is confirmed, and the daemon never does that by itself. Shown "
      "is what\n"
      "was asked with a right signature by a topic that is configured. If you made that subscription, fetch "
      "confirm_url\n"
      "(curl, a browser); it is made of the topic and its token, and valid for three days. Otherwise do nothing.\n",
      confirmations },
    { NULL },
};
