/* Replies: what they mean by the account's rules, and those that wait for a person. */
#include "ctl.h"
#include "followupd/base/list.h"

static enum ctl_exit rules(struct ctl *c)
{
    return ctl_ask(c, NULL, 0, "There is no rule: every reply that no phrase explains is lead_to_review.");
}

static enum ctl_exit rule_add(struct ctl *c)
{
    const struct command_argument arguments[] = {
        { "pattern", c->words[0] },          { "outcome", c->words[1] },
        { "kind", ctl_option(c, "kind") },   { "field", ctl_option(c, "field") },
        { "place", ctl_option(c, "place") }, { "applies", ctl_option(c, "applies") },
        { "note", ctl_option(c, "note") },
    };
    return ctl_ask(c, arguments, COUNT_OF(arguments), "");
}

static enum ctl_exit rule_move(struct ctl *c)
{
    const struct command_argument arguments[] = { { "rule", c->words[0] },
                                                  { "place", c->words[1] },
                                                  { "note", ctl_option(c, "note") } };
    return ctl_ask(c, arguments, COUNT_OF(arguments), "");
}

static enum ctl_exit rule_remove(struct ctl *c)
{
    const struct command_argument arguments[] = { { "rule", c->words[0] }, { "note", ctl_option(c, "note") } };
    return ctl_ask(c, arguments, COUNT_OF(arguments), "");
}

static enum ctl_exit try(struct ctl *c)
{
    const struct command_argument arguments[] = {
        { "text", c->words[0] },
        { "subject", ctl_option(c, "subject") },
        { "after_follow_up", ctl_option(c, "after-follow-up") != NULL ? "true" : NULL },
        { "automatic", ctl_option(c, "automatic") != NULL ? "true" : NULL },
    };
    return ctl_ask(c, arguments, COUNT_OF(arguments), "");
}

static enum ctl_exit list(struct ctl *c)
{
    const struct command_argument arguments[] = { { "limit", ctl_option(c, "limit") } };
    return ctl_ask(c, arguments, COUNT_OF(arguments), "No reply waits for a person.");
}

static enum ctl_exit settle(struct ctl *c)
{
    const struct command_argument arguments[] = { { "reply", c->words[0] },
                                                  { "lead", ctl_option(c, "lead") },
                                                  { "outcome", ctl_option(c, "outcome") },
                                                  { "note", ctl_option(c, "note") } };
    return ctl_ask(c, arguments, COUNT_OF(arguments), "");
}

const struct ctl_verb reply_verbs[] = {
    { "reply rules",
      "",
      0,
      0,
      false,
      { { NULL } },
      "what replies mean, in the order asked",
      "The first rule that matches decides. Before any rule: requests not to be written to, threats, absence, people "
      "who\n"
      "left or name somebody else, and automatic mail. After the last: lead_to_review.\n",
      rules },
    { "reply rule-add",
      "PATTERN OUTCOME",
      2,
      2,
      false,
      { { "kind", "WHICH", "words (default), substring or regex" },
        { "field", "WHICH", "body (default), subject or from" },
        { "applies", "WHEN", "any (default), before_follow_up or after_follow_up" },
        { "place", "N", "where in the order; default 1, before all others" },
        { "note", "TEXT", "why; kept with the rule" } },
      "adds a rule about replies",
      "words: these words in this order, up to three others between; call|ring is either, interest* any ending. "
      "OUTCOME "
      "is a\n"
      "status (hot_lead, ...), stop, unsubscribe, deactivate:SUB_STATE, out_of_office or keep_messaging. Example:\n"
      "  followupctl reply rule-add 'send|mail price list' hot_lead\n",
      rule_add },
    { "reply rule-move",
      "RULE PLACE",
      2,
      2,
      false,
      { { "note", "TEXT", "why; kept in the record" } },
      "asks a rule earlier or later",
      "RULE and PLACE as reply rules shows them.\n",
      rule_move },
    { "reply rule-remove",
      "RULE",
      1,
      1,
      false,
      { { "note", "TEXT", "why; kept in the record" } },
      "removes a rule about replies",
      "RULE as reply rules shows it. What it decided stays decided.\n",
      rule_remove },
    { "reply try",
      "TEXT",
      1,
      1,
      false,
      { { "subject", "TEXT", "its subject" },
        { "after-follow-up", NULL, "as if a follow-up had left" },
        { "automatic", NULL, "as if its headers said that a machine wrote it" } },
      "says what a reply would mean",
      "Nothing is changed. Example:\n"
      "  followupctl reply try 'Back on Monday 14 December' --automatic\n",
      try },
    { "reply list",
      "",
      0,
      0,
      false,
      { { "limit", "N", "at most so many (default 100)" } },
      "replies that wait for a person",
      "unmatched: nobody could be proved to have sent it, and no lead was touched; likely_lead has that address. An "
      "alert\n"
      "(anger, a legal threat): its lead is stopped already. reads_as is what it would do.\n",
      list },
    { "reply settle",
      "REPLY",
      1,
      1,
      false,
      { { "lead", "ID", "it is this lead's, and does what it means" },
        { "outcome", "WHAT", "what it means; default what it was read as" },
        { "note", "TEXT", "why; kept in the record" } },
      "says that a reply is dealt with",
      "Without --lead nothing more happens. Examples:\n"
      "  followupctl reply settle 311 --lead 17 --outcome further_action\n"
      "  followupctl reply settle 312 --note 'spam'\n",
      settle },
    { NULL },
};
