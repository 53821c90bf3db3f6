/* What an operator does beside the five actions: hold and release, reactivate, status and representative of leads; single
 * messages moved; addresses suppressed; pause and resume of an account, an assistant or a sequence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "followupd/base/list.h"

static enum ctl_exit hold(struct ctl *c)
{
    const struct command_argument more[] = { { "until", ctl_option(c, "until") } };
    return ctl_act(c, "held", more, COUNT_OF(more));
}

static enum ctl_exit release(struct ctl *c)
{
    return ctl_act(c, "released", NULL, 0);
}

static enum ctl_exit reactivate(struct ctl *c)
{
    return ctl_act(c, "reactivated", NULL, 0);
}

static enum ctl_exit erase(struct ctl *c)
{
    return ctl_act(c, "erased", NULL, 0);
}

static enum ctl_exit unbounce(struct ctl *c)
{
    return ctl_act(c, "brought back", NULL, 0);
}

static enum ctl_exit set_status(struct ctl *c)
{
    const struct command_argument more[] = { { "status", ctl_option(c, "status") } };
    if (more[0].value == NULL)
        return ctl_usage(c, "--status is missing");
    return ctl_act(c, "set", more, COUNT_OF(more));
}

static enum ctl_exit validate(struct ctl *c)
{
    return ctl_act(c, "being checked", NULL, 0);
}

static enum ctl_exit record_validation(struct ctl *c)
{
    const struct command_argument more[] = { { "verdict", ctl_option(c, "verdict") } };
    if (more[0].value == NULL)
        return ctl_usage(c, "--verdict is missing");
    return ctl_act(c, "recorded", more, COUNT_OF(more));
}

static enum ctl_exit reassign(struct ctl *c)
{
    struct err e = { "" };
    char rep[24];
    if ((ctl_option(c, "rep") != NULL) == (ctl_option(c, "nobody") != NULL))
        return ctl_usage(c, "give --rep ADDRESS or --nobody: one of the two");
    enum status st = ctl_named(c, "rep", rep, sizeof rep, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    const struct command_argument more[] = { { "rep", rep[0] != '\0' ? rep : NULL } };
    return ctl_act(c, "reassigned", more, COUNT_OF(more));
}

/* "{17,18}" of the words, which may be written m-17 as provider and ledger name them. NULL: told already. */
static char *messages_value(const struct ctl *c)
{
    size_t bytes = 3;
    for (size_t i = 0; i < c->words_count; i++)
        bytes += strlen(c->words[i]) + 1;
    char *text = malloc(bytes), *end = text;
    if (text == NULL) {
        ctl_usage(c, "out of memory");
        return NULL;
    }
    *end++ = '{';
    for (size_t i = 0; i < c->words_count; i++) {
        const char *word = strncmp(c->words[i], "m-", 2) == 0 ? c->words[i] + 2 : c->words[i];
        if (word[0] == '\0' || strspn(word, "0123456789") != strlen(word) || strlen(word) > 18) {
            ctl_usage(c, "\"%.60s\" is not the id of a message", c->words[i]);
            free(text);
            return NULL;
        }
        end += snprintf(end, bytes - (size_t)(end - text), "%s%s", i > 0 ? "," : "", word);
    }
    strcpy(end, "}");
    return text;
}

static enum ctl_exit reschedule(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    size_t done = 0;
    bool past = false;
    enum ctl_exit result = CTL_REFUSED;
    char *messages = messages_value(c);
    if (messages == NULL)
        return CTL_USAGE;
    const struct command_argument arguments[] = { { "messages", messages },
                                                  { "at", ctl_option(c, "at") },
                                                  { "forced", ctl_option(c, "force") != NULL ? "true" : NULL },
                                                  { "note", ctl_option(c, "note") } };
    enum status st = ctl_command(c, "reschedule", arguments, COUNT_OF(arguments), &rows, &e);
    free(messages);
    if (st != OK)
        return ctl_fail(st, &e);
    for (size_t row = 0; row < once_rows_count(rows); row++) { /* json, lead_id, done, reason */
        const char *reason = once_value(rows, row, 3);
        done += once_bool(rows, row, 2) ? 1 : 0;
        past |= reason != NULL && strcmp(reason, "past_instant") == 0;
    }
    if (done == 0 && past)
        result = ctl_unchanged(CTL_PAST_INSTANT);
    else
        output_rows(c, rows, "No message was named.");
    once_rows_free(rows);
    return done > 0 ? CTL_OK : result;
}

static enum ctl_exit suppress(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    const char *reason = ctl_option(c, "reason");
    const struct command_argument arguments[] = { { "address", c->words[0] },
                                                  { "reason", reason != NULL ? reason : "asked" },
                                                  { "source", "followupctl" },
                                                  { "note", ctl_option(c, "note") } };
    enum status st = ctl_command(c, "suppress", arguments, COUNT_OF(arguments), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, "Suppressed. No lead has this address.");
    once_rows_free(rows);
    return CTL_OK;
}

/* pause and resume name an assistant, a sequence, or neither: the account. */
static enum status pause_call(struct ctl *c, struct once_rows **ret, struct err *e)
{
    char assistant[24], sequence[24];
    enum status st = ctl_named(c, "assistant", assistant, sizeof assistant, e);
    if (st == OK)
        st = ctl_named(c, "sequence", sequence, sizeof sequence, e);
    if (st != OK)
        return st;
    const struct command_argument arguments[] = { { "assistant", assistant[0] != '\0' ? assistant : NULL },
                                                  { "sequence", sequence[0] != '\0' ? sequence : NULL },
                                                  { "note", ctl_option(c, "note") } };
    return ctl_command(c, c->verb->name, arguments, COUNT_OF(arguments), ret, e);
}

static enum ctl_exit pause_(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    enum status st = pause_call(c, &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    const char *in_flight = once_value(rows, 0, 1);
    if (c->json)
        output_json(output_rows_json(rows));
    else if (strcmp(in_flight, "{}") == 0)
        puts("paused; nothing is in flight");
    else
        printf("paused; in flight, and not to be called back: messages %.*s\n", (int)strlen(in_flight) - 2,
               in_flight + 1);
    once_rows_free(rows);
    return CTL_OK;
}

static enum ctl_exit resume(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    enum status st = pause_call(c, &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    bool was_paused = once_bool(rows, 0, 1);
    if (c->json)
        output_json(output_rows_json(rows));
    else
        puts(was_paused ? "resumed" : "it was not paused");
    once_rows_free(rows);
    return was_paused ? CTL_OK : CTL_REFUSED;
}

#define FILTER                                                                                                         \
    {                                                                                                                  \
        "filter", "F", "all leads that meet F, instead of naming them"                                                 \
    }
#define YES                                                                                                            \
    {                                                                                                                  \
        "yes", "N", "do it if it is done to exactly N leads; else nothing is changed, exit status 2"                   \
    }
#define NOTE                                                                                                           \
    {                                                                                                                  \
        "note", "TEXT", "why; kept in the record"                                                                      \
    }
#define WHOSE                                                                                                          \
    { "assistant", "NAME", "only what this assistant writes" },                                                        \
    {                                                                                                                  \
        "sequence", "NAME", "only this sequence"                                                                       \
    }
#define WORDS "LEAD... | --filter F"

const struct ctl_verb operate_verbs[] = {
    { "hold",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { { "until", "T", "such as '2026-03-02 09:00' (the account's zone); default: until release" },
        NOTE,
        FILTER,
        YES },
      "sends nothing to leads before an instant",
      "For active leads. What is scheduled moves behind the hold and keeps its id; what comes later is planned behind\n"
      "it. Example:\n  followupctl hold ann@x.example --until '2026-08-17 08:00' --note 'on holiday'\n",
      hold },
    { "release",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { NOTE, FILTER, YES },
      "ends a hold",
      "What is scheduled goes when it would have gone without the hold, or now.\n",
      release },
    { "reactivate",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { NOTE, FILTER, YES },
      "undoes a stop",
      "For stopped leads, with --note. The message that the stop cancelled goes at its old time, or now where that "
      "has\n"
      "passed. Suppressed addresses stay stopped.\n",
      reactivate },
    { "unbounce",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { NOTE, FILTER, YES },
      "undoes a bounce",
      "For leads that a bounce deactivated (BounceDeactivated, CannotDetermine), with --note, where the address is "
      "good\n"
      "after all. It is no longer suppressed for the bounce; what the bounce cancelled goes at its old time, or now.\n",
      unbounce },
    { "erase",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { NOTE, FILTER, YES },
      "deletes leads and all that is stored of them",
      "Messages as they left, replies, events and the record go with the lead, and so does its address on the\n"
      "suppression list; of an address that must not be written to a keyed hash stays, by which it is suppressed "
      "again\n"
      "when a lead comes with it. Not undone. A lead whose message is in flight or in doubt is left alone: again "
      "later.\n"
      "The record says which id was erased, and --note: name nobody in it. Backups are yours to see to.\n",
      erase },
    { "set-status",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { { "status", "STATUS",
          "hot_lead, lead_to_review, lead_at_risk, further_action, satisfied, disqualified, no_further_action" },
        NOTE,
        FILTER,
        YES },
      "says what a lead's answers mean",
      "The status alone: what is scheduled stays. Example:\n  followupctl set-status 17 --status satisfied\n",
      set_status },
    { "validate",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { NOTE, FILTER, YES },
      "keeps new leads from starting while their addresses are checked",
      "They are new/validating until record-validation says what came of it.\n",
      validate },
    { "record-validation",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { { "verdict", "VERDICT", "valid, InvalidEmail, BounceRisk, ServerUnReachable, SpamTrap, Disposable" },
        NOTE,
        FILTER,
        YES },
      "says what the check of addresses said",
      "valid: the lead is new, and is started if it came with a sequence. Every other verdict deactivates the lead,\n"
      "whatever its state, and ends its conversation. Example:\n"
      "  followupctl record-validation 17 --verdict SpamTrap\n",
      record_validation },
    { "reassign",
      WORDS,
      0,
      SIZE_MAX,
      false,
      { { "rep", "ADDRESS", "the user who has the leads from now on" },
        { "nobody", NULL, "nobody has them" },
        NOTE,
        FILTER,
        YES },
      "gives leads to another representative",
      "Messages not sent yet name the new one.\n",
      reassign },
    { "reschedule",
      "MESSAGE...",
      1,
      SIZE_MAX,
      false,
      { { "at", "T", "when, such as '2026-03-02 09:00' (the account's zone); default now" },
        { "force", NULL, "whatever the send window says; needs --note" },
        NOTE },
      "moves scheduled messages, or sends them now",
      "MESSAGE is an id, as preview and lead show give it. Goes through the send window; what comes after it is "
      "counted\n"
      "from the new time. Example:\n  followupctl reschedule 17 --force --note 'she is waiting for it'\n",
      reschedule },
    { "suppress",
      "ADDRESS",
      1,
      1,
      false,
      { { "reason", "TEXT", "why, in a word; default: asked" }, NOTE },
      "never writes to an address",
      "An active lead of this address is stopped; none ever starts again. Shows what had left already.\n",
      suppress },
    { "pause",
      "",
      0,
      0,
      false,
      { WHOSE, NOTE },
      "sends nothing until resume",
      "Of the account, or of one assistant or sequence. Messages keep their times; alerts go on. Example:\n"
      "  followupctl pause --assistant Ada --note 'her mailbox is full'\n",
      pause_ },
    { "resume",
      "",
      0,
      0,
      false,
      { WHOSE, NOTE },
      "ends a pause",
      "What became due meanwhile is spread from now on, in its order: ten a second, and an hour at most.\n",
      resume },
    { NULL },
};
