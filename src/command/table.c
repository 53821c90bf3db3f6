#include "followupd/command/table.h"

#include <stdio.h>
#include <string.h>

#include "followupd/base/list.h"

#define ACCOUNT                                                                                                        \
    {                                                                                                                  \
        "account", COMMAND_ID, true                                                                                    \
    }
#define LEADS                                                                                                          \
    {                                                                                                                  \
        "leads", COMMAND_IDS, true                                                                                     \
    }
#define AT                                                                                                             \
    {                                                                                                                  \
        "at", COMMAND_INSTANT                                                                                          \
    }
#define NOTE                                                                                                           \
    {                                                                                                                  \
        "note", COMMAND_TEXT                                                                                           \
    }
#define ACTOR                                                                                                          \
    {                                                                                                                  \
        "actor", COMMAND_ID                                                                                            \
    }

const struct command commands[] = {
    { "account add",
      "followup.add_account",
      "a new account",
      true,
      { { "name", COMMAND_TEXT, true },
        { "timezone", COMMAND_TEXT },
        { "noun", COMMAND_TEXT },
        { "provider", COMMAND_TEXT },
        { "postal_address", COMMAND_TEXT } } },
    { "user add",
      "followup.add_user",
      "a person who works in an account",
      true,
      { ACCOUNT,
        { "name", COMMAND_TEXT, true },
        { "email", COMMAND_TEXT, true },
        { "profile", COMMAND_TEXT },
        { "phone", COMMAND_TEXT },
        ACTOR } },
    { "profile copy",
      "followup.copy_profile",
      "a profile with the permissions of another",
      true,
      { ACCOUNT, { "profile", COMMAND_TEXT, true }, { "from", COMMAND_TEXT, true }, ACTOR } },
    { "profile grant",
      "followup.grant_permission",
      "what a profile may do",
      true,
      { ACCOUNT,
        { "profile", COMMAND_TEXT, true },
        { "permission", COMMAND_TEXT, true },
        { "granted", COMMAND_FLAG },
        ACTOR } },
    { "assistant add",
      "followup.add_assistant",
      "the persona who writes",
      true,
      { ACCOUNT,
        { "name", COMMAND_TEXT, true },
        { "from_address", COMMAND_TEXT, true },
        { "title", COMMAND_TEXT },
        { "reply_domain", COMMAND_TEXT },
        { "signature", COMMAND_TEXT },
        { "provider", COMMAND_TEXT },
        { "daily_cap", COMMAND_NUMBER },
        ACTOR } },
    { "sequence import",
      "followup.import_sequence",
      "a sequence from its document",
      true,
      { ACCOUNT, { "document", COMMAND_JSON, true }, ACTOR } },
    { "sequence show",
      "followup.sequence_show",
      "a sequence as its document",
      false,
      { ACCOUNT, { "sequence", COMMAND_ID, true } } },
    { "lead import",
      "followup.import_leads",
      "leads from rows",
      true,
      { ACCOUNT,
        { "rows", COMMAND_JSON, true },
        { "sequence", COMMAND_ID },
        { "assistant", COMMAND_ID },
        { "duplicates", COMMAND_TEXT },
        { "strict", COMMAND_FLAG },
        ACTOR } },
    { "lead find",
      "followup.find_leads",
      "ids of the leads that a filter means",
      false,
      { ACCOUNT, { "filter", COMMAND_TEXT } } },
    { "lead list",
      "followup.lead_list",
      "leads that a filter means",
      false,
      { ACCOUNT, { "filter", COMMAND_TEXT }, { "limit", COMMAND_NUMBER }, { "after", COMMAND_ID } } },
    { "lead show", "followup.lead_show", "a lead and its timeline", false, { ACCOUNT, { "lead", COMMAND_ID, true } } },
    { "start",
      "followup.start_follow_up",
      "first enrolment",
      true,
      { ACCOUNT, LEADS, { "sequence", COMMAND_ID }, { "assistant", COMMAND_ID }, AT, ACTOR, NOTE } },
    { "continue",
      "followup.continue_follow_up",
      "go on where a conversation ended",
      true,
      { ACCOUNT, LEADS, AT, ACTOR, NOTE, { "disqualified", COMMAND_FLAG } } },
    { "restart",
      "followup.restart_follow_up",
      "from the first message",
      true,
      { ACCOUNT,
        LEADS,
        AT,
        { "sequence", COMMAND_ID },
        { "assistant", COMMAND_ID },
        ACTOR,
        NOTE,
        { "disqualified", COMMAND_FLAG } } },
    { "skip", "followup.skip_to_follow_up", "skip to the follow-up", true, { ACCOUNT, LEADS, AT, ACTOR, NOTE } },
    { "stop", "followup.stop_messaging", "end messaging at once", true, { ACCOUNT, LEADS, AT, ACTOR, NOTE } },
    { "hold",
      "followup.hold",
      "send nothing before an instant",
      true,
      { ACCOUNT, LEADS, { "until", COMMAND_INSTANT }, ACTOR, NOTE } },
    { "release", "followup.release", "end a hold", true, { ACCOUNT, LEADS, ACTOR, NOTE } },
    { "reactivate", "followup.reactivate", "undo a stop", true, { ACCOUNT, LEADS, ACTOR, NOTE } },
    { "unbounce", "followup.unbounce", "undo a bounce", true, { ACCOUNT, LEADS, ACTOR, NOTE } },
    { "erase",
      "followup.erase_lead",
      "delete a lead and all that is stored of it",
      true,
      { ACCOUNT, LEADS, ACTOR, NOTE } },
    { "set-status",
      "followup.set_status",
      "say what the answers mean",
      true,
      { ACCOUNT, LEADS, { "status", COMMAND_TEXT, true }, ACTOR, NOTE } },
    { "validate",
      "followup.validate_leads",
      "start nothing until the address is checked",
      true,
      { ACCOUNT, LEADS, ACTOR, NOTE } },
    { "record-validation",
      "followup.record_validation",
      "what the check of an address said",
      true,
      { ACCOUNT, LEADS, { "verdict", COMMAND_TEXT, true }, ACTOR, NOTE } },
    { "reassign",
      "followup.reassign",
      "give leads to another representative",
      true,
      { ACCOUNT, LEADS, { "rep", COMMAND_ID }, ACTOR, NOTE } },
    { "reschedule",
      "followup.reschedule",
      "move messages, or send them now",
      true,
      { ACCOUNT, { "messages", COMMAND_IDS, true }, AT, { "forced", COMMAND_FLAG }, ACTOR, NOTE } },
    { "suppress",
      "followup.suppress",
      "never write to an address",
      true,
      { ACCOUNT,
        { "address", COMMAND_TEXT, true },
        { "reason", COMMAND_TEXT, true },
        { "source", COMMAND_TEXT, true },
        ACTOR,
        NOTE } },
    { "pause",
      "followup.pause",
      "send nothing until resume",
      true,
      { ACCOUNT, { "assistant", COMMAND_ID }, { "sequence", COMMAND_ID }, ACTOR, NOTE } },
    { "resume",
      "followup.resume",
      "end a pause",
      true,
      { ACCOUNT, { "assistant", COMMAND_ID }, { "sequence", COMMAND_ID }, ACTOR, NOTE } },
    { "crm status",
      "followup.crm_status",
      "another system gave a lead a status",
      true,
      { ACCOUNT,
        { "source", COMMAND_TEXT, true },
        { "external_id", COMMAND_TEXT, true },
        { "code", COMMAND_TEXT, true },
        ACTOR,
        NOTE } },
    { "crm rules",
      "followup.crm_rules",
      "what statuses of other systems do",
      false,
      { ACCOUNT, { "source", COMMAND_TEXT } } },
    { "crm rule",
      "followup.set_crm_rule",
      "choose what a status does",
      true,
      { ACCOUNT,
        { "source", COMMAND_TEXT, true },
        { "value", COMMAND_TEXT, true },
        { "action", COMMAND_TEXT, true },
        { "label", COMMAND_TEXT },
        { "field", COMMAND_TEXT },
        { "operator", COMMAND_TEXT },
        ACTOR,
        NOTE } },
    { "crm replay",
      "followup.crm_replay",
      "what the rules of now would have done",
      false,
      { ACCOUNT, { "days", COMMAND_NUMBER } } },
    { "reply rules", "followup.reply_rules", "what replies mean, in the order asked", false, { ACCOUNT } },
    { "reply rule-add",
      "followup.add_reply_rule",
      "another rule about replies",
      true,
      { ACCOUNT,
        { "pattern", COMMAND_TEXT, true },
        { "outcome", COMMAND_TEXT, true },
        { "kind", COMMAND_TEXT },
        { "field", COMMAND_TEXT },
        { "applies", COMMAND_TEXT },
        { "place", COMMAND_NUMBER },
        ACTOR,
        NOTE } },
    { "reply rule-move",
      "followup.move_reply_rule",
      "ask a rule earlier or later",
      true,
      { ACCOUNT, { "rule", COMMAND_ID, true }, { "place", COMMAND_NUMBER, true }, ACTOR, NOTE } },
    { "reply rule-remove",
      "followup.remove_reply_rule",
      "a rule less",
      true,
      { ACCOUNT, { "rule", COMMAND_ID, true }, ACTOR, NOTE } },
    { "reply try",
      "followup.try_reply",
      "what a reply would mean",
      false,
      { ACCOUNT,
        { "text", COMMAND_TEXT, true },
        { "subject", COMMAND_TEXT },
        { "after_follow_up", COMMAND_FLAG },
        { "automatic", COMMAND_FLAG } } },
    { "reply list",
      "followup.replies_to_settle",
      "replies that wait for a person",
      false,
      { ACCOUNT, { "limit", COMMAND_NUMBER } } },
    { "reply settle",
      "followup.settle_reply",
      "a reply that waited is dealt with",
      true,
      { ACCOUNT, { "reply", COMMAND_ID, true }, { "lead", COMMAND_ID }, { "outcome", COMMAND_TEXT }, ACTOR, NOTE } },
    { "preview",
      "followup.preview",
      "what a lead will get, and when",
      false,
      { ACCOUNT, { "lead", COMMAND_ID, true } } },
    { "explain",
      "followup.explain",
      "why a message has not left yet",
      false,
      { ACCOUNT, { "message", COMMAND_ID, true } } },
    { "forecast",
      "followup.forecast",
      "what will leave in each hour, by assistant",
      false,
      { ACCOUNT, { "days", COMMAND_NUMBER } } },
    { "bulk plan",
      "followup.bulk_plan",
      "an action on all leads that a filter means, planned",
      true,
      { ACCOUNT,
        { "action", COMMAND_TEXT, true },
        { "filter", COMMAND_TEXT },
        AT,
        { "sequence", COMMAND_ID },
        { "assistant", COMMAND_ID },
        ACTOR,
        NOTE,
        { "include_disqualified", COMMAND_FLAG } } },
    { "bulk commit",
      "followup.bulk_commit",
      "a planned bulk may run",
      true,
      { ACCOUNT,
        { "bulk", COMMAND_ID, true },
        { "expected_count", COMMAND_ID, true },
        { "run_at", COMMAND_INSTANT },
        ACTOR } },
    { "bulk cancel",
      "followup.bulk_cancel",
      "a bulk goes no further",
      true,
      { ACCOUNT, { "bulk", COMMAND_ID, true }, ACTOR } },
    { "bulk undo",
      "followup.bulk_undo",
      "a bulk is taken back as far as nothing is sent",
      true,
      { ACCOUNT, { "bulk", COMMAND_ID, true }, ACTOR, NOTE } },
    { "bulk status", "followup.bulk_status", "how far a bulk is", false, { ACCOUNT, { "bulk", COMMAND_ID } } },
    { "status", "followup.account_status", "what is due, in flight and sent", false, { { "account", COMMAND_ID } } },
    { "alerts", "followup.account_alerts", "what a person should see", false, { { "account", COMMAND_ID } } },
    { "engine status", "followup.engine_status", "the workers and what they own", false, { { NULL } } },
    { "engine due", "followup.engine_due", "what all accounts have to send", false, { { NULL } } },
    { "engine lateness", "followup.engine_lateness", "how late messages left", false, { { NULL } } },
    { "engine figures", "followup.engine_figures", "what workers say of themselves", false, { { NULL } } },
    { "engine providers", "followup.engine_providers", "how workers see their providers", false, { { NULL } } },
    { "engine refusals", "followup.engine_refusals", "what providers did not accept", false, { { NULL } } },
    { "check", "followup.invariants", "whether what must always be true is true", false, { { "full", COMMAND_FLAG } } },
    { "webhook list",
      "followup.webhook_confirmations",
      "SNS topics that ask whether they may send",
      false,
      { ACCOUNT, { "source", COMMAND_TEXT } } },
    { "in-doubt list",
      "followup.in_doubt_list",
      "messages that may have left",
      false,
      { ACCOUNT, { "limit", COMMAND_NUMBER } } },
    { "in-doubt settle",
      "followup.settle_in_doubt",
      "what became of a message in doubt",
      true,
      { ACCOUNT, { "message", COMMAND_ID, true }, { "as", COMMAND_TEXT, true }, ACTOR, NOTE } },
};
const size_t commands_count = COUNT_OF(commands);

const struct command *command_find(const char *verb)
{
    for (size_t i = 0; i < commands_count; i++)
        if (strcmp(commands[i].verb, verb) == 0)
            return &commands[i];
    return NULL;
}

static bool is_id(const char *text, size_t bytes)
{
    return bytes > 0 && bytes <= 18 && strspn(text, "0123456789") >= bytes;
}

static bool is_id_list(const char *text)
{
    size_t bytes = strlen(text);
    if (bytes < 2 || text[0] != '{' || text[bytes - 1] != '}')
        return false;
    if (bytes == 2)
        return true;
    for (const char *id = text + 1; id < text + bytes; id += strcspn(id, ",}") + 1)
        if (!is_id(id, strcspn(id, ",}")))
            return false;
    return true;
}

static const char *complaint(enum command_type type, const char *value)
{
    switch (type) {
    case COMMAND_ID:
        return is_id(value, strlen(value)) ? NULL : "is not an id (a whole number)";
    case COMMAND_IDS:
        return is_id_list(value) ? NULL : "is not a list of ids";
    case COMMAND_NUMBER:
        return strlen(value) <= 9 && is_id(value, strlen(value)) ? NULL : "is not a whole number";
    case COMMAND_FLAG:
        return strcmp(value, "true") == 0 || strcmp(value, "false") == 0 ? NULL : "is neither true nor false";
    case COMMAND_INSTANT:
        return value[0] != '\0' && strlen(value) <= 100 ? NULL : "is not an instant";
    case COMMAND_TEXT:
    case COMMAND_JSON:
        break; /* the database reads it */
    }
    return NULL;
}

static const char *sql_type(enum command_type type)
{
    static const char *const types[] = {
        [COMMAND_ID] = "bigint",    [COMMAND_IDS] = "bigint[]",        [COMMAND_NUMBER] = "integer",
        [COMMAND_FLAG] = "boolean", [COMMAND_INSTANT] = "timestamptz", [COMMAND_TEXT] = "text",
        [COMMAND_JSON] = "jsonb",
    };
    return types[type];
}

static const char *argument_value(const struct command_argument *arguments, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(arguments[i].name, name) == 0)
            return arguments[i].value;
    return NULL;
}

static bool takes(const struct command *c, const char *name)
{
    for (size_t i = 0; i < COMMAND_PARAMETERS_MAX && c->parameters[i].name != NULL; i++)
        if (strcmp(c->parameters[i].name, name) == 0)
            return true;
    return false;
}

enum status command_call_make(const struct command *c, const struct command_argument *arguments, size_t arguments_count,
                              struct command_call *ret, struct err *e)
{
    struct command_call call = { .values_count = 0 };
    for (size_t i = 0; i < arguments_count; i++)
        if (!takes(c, arguments[i].name))
            return err_set(e, E_INVALID, "%s takes no %s", c->verb, arguments[i].name);
    int used = snprintf(call.sql, sizeof call.sql, "SELECT * FROM %s(", c->function);
    for (size_t i = 0; i < COMMAND_PARAMETERS_MAX && c->parameters[i].name != NULL; i++) {
        const struct command_parameter *p = &c->parameters[i];
        const char *value = argument_value(arguments, arguments_count, p->name);
        if (value == NULL && p->required)
            return err_set(e, E_INVALID, "%s: %s is missing", c->verb, p->name);
        if (value == NULL)
            continue;
        const char *wrong = complaint(p->type, value);
        if (wrong != NULL)
            return err_set(e, E_INVALID, "%s: %s: \"%.60s\" %s", c->verb, p->name, value, wrong);
        call.values[call.values_count++] = value;
        used += snprintf(call.sql + used, sizeof call.sql - (size_t)used, "%sp_%s => $%zu::%s",
                         call.values_count > 1 ? ", " : "", p->name, call.values_count, sql_type(p->type));
    }
    snprintf(call.sql + used, sizeof call.sql - (size_t)used, ")");
    *ret = call;
    return OK;
}
