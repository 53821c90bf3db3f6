/* Accounts and the people and personas in them; and migrate, which makes the place for all of it. */
#include <stdio.h>

#include "ctl.h"
#include "followupd/base/list.h"
#include "followupd/db/migrate.h"

static void migration_told(const char *path)
{
    fprintf(stderr, "%s\n", path);
}

static enum ctl_exit migrate(struct ctl *c)
{
    struct err e = { "" };
    struct migrate_done done;
    enum status st = migrate_run(c->db, migration_told, &done, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    if (c->json)
        output_json(json_pack("{s:i,s:i,s:i,s:i}", "version_before", done.version_before, "version", done.version_after,
                              "migrations", done.migrations_run, "files", done.files_loaded));
    else
        printf("schema version %d (was %d); %d functions, views and triggers loaded\n", done.version_after,
               done.version_before, done.files_loaded);
    return CTL_OK;
}

/* One function that answers an id. */
static enum ctl_exit add(struct ctl *c, const char *verb, const char *what, const struct command_argument *arguments,
                         size_t count)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    enum status st = ctl_command(c, verb, arguments, count, &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    if (c->json)
        output_json(json_pack("{s:I,s:s}", "id", (json_int_t)once_i64(rows, 0, 1), "name", c->words[0]));
    else
        printf("%s %s: %s\n", what, once_value(rows, 0, 1), c->words[0]);
    once_rows_free(rows);
    return CTL_OK;
}

static enum ctl_exit list(struct ctl *c, const char *sql, const char *nothing)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    const char *values[] = { c->account };
    enum status st = ctl_query(c, sql, values, c->verb->without_account ? 0 : 1, &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, nothing);
    once_rows_free(rows);
    return CTL_OK;
}

static enum ctl_exit account_add(struct ctl *c)
{
    const struct command_argument arguments[] = { { "name", c->words[0] },
                                                  { "timezone", ctl_option(c, "timezone") },
                                                  { "noun", ctl_option(c, "noun") },
                                                  { "provider", ctl_option(c, "provider") },
                                                  { "postal_address", ctl_option(c, "postal-address") } };
    return add(c, "account add", "account", arguments, COUNT_OF(arguments));
}

static enum ctl_exit account_list(struct ctl *c)
{
    return list(c,
                "SELECT a.id, a.name, a.timezone, a.noun, a.provider, a.paused_at, a.postal_address "
                "FROM followup.account AS a ORDER BY a.name",
                "There is no account yet: followupctl account add NAME --timezone ZONE");
}

static enum ctl_exit user_add(struct ctl *c)
{
    const struct command_argument arguments[] = { { "name", c->words[0] },
                                                  { "email", ctl_option(c, "email") },
                                                  { "profile", ctl_option(c, "profile") },
                                                  { "phone", ctl_option(c, "phone") } };
    return add(c, "user add", "user", arguments, COUNT_OF(arguments));
}

static enum ctl_exit user_list(struct ctl *c)
{
    return list(c,
                "SELECT u.id, u.name, u.email, u.profile, u.phone FROM followup.app_user AS u "
                "WHERE u.account_id = $1::bigint ORDER BY u.name, u.id",
                "There is no user yet: followupctl user add NAME --email ADDRESS");
}

static enum ctl_exit profile_change(struct ctl *c, const char *verb, const struct command_argument *arguments,
                                    size_t count)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    enum status st = ctl_command(c, verb, arguments, count, &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, "");
    once_rows_free(rows);
    return CTL_OK;
}

static enum ctl_exit profile_copy(struct ctl *c)
{
    const struct command_argument arguments[] = { { "profile", c->words[0] }, { "from", ctl_option(c, "from") } };
    return profile_change(c, "profile copy", arguments, COUNT_OF(arguments));
}

static enum ctl_exit profile_grant(struct ctl *c)
{
    const struct command_argument arguments[] = { { "profile", c->words[0] },
                                                  { "permission", c->words[1] },
                                                  { "granted", ctl_option(c, "revoke") != NULL ? "false" : "true" } };
    return profile_change(c, "profile grant", arguments, COUNT_OF(arguments));
}

static enum ctl_exit profile_list(struct ctl *c)
{
    return list(c,
                "SELECT p.name, p.builtin, p.copied_from, array_to_string(p.permissions, ' ') AS permissions "
                "FROM followup.profile AS p WHERE p.account_id = $1::bigint ORDER BY NOT p.builtin, p.name",
                "");
}

static enum ctl_exit assistant_add(struct ctl *c)
{
    const struct command_argument arguments[] = { { "name", c->words[0] },
                                                  { "from_address", ctl_option(c, "from-address") },
                                                  { "title", ctl_option(c, "title") },
                                                  { "reply_domain", ctl_option(c, "reply-domain") },
                                                  { "signature", ctl_option(c, "signature") },
                                                  { "provider", ctl_option(c, "provider") },
                                                  { "daily_cap", ctl_option(c, "daily-cap") } };
    return add(c, "assistant add", "assistant", arguments, COUNT_OF(arguments));
}

static enum ctl_exit assistant_list(struct ctl *c)
{
    return list(c,
                "SELECT a.id, a.name, a.title, a.from_address, a.reply_domain, a.provider, a.daily_cap, a.paused_at "
                "FROM followup.assistant AS a WHERE a.account_id = $1::bigint ORDER BY a.name",
                "There is no assistant yet: followupctl assistant add NAME --from-address ADDRESS");
}

const struct ctl_verb account_verbs[] = {
    { "migrate",
      "",
      0,
      0,
      true,
      { { NULL } },
      "brings the database to this program's schema",
      "Runs what is missing of the schema, then loads all functions again. Running it again changes nothing. Needs a\n"
      "superuser, because it creates roles. Refuses a database that is newer than this program, one whose clock is\n"
      "replaced (a demo's), and to run a migration while a followupd works on the database. Behind a dump or a long\n"
      "transaction it gives up after three seconds with nothing half done.\n",
      migrate },
    { "account add",
      "NAME",
      1,
      1,
      true,
      { { "timezone", "ZONE", "IANA name, such as Europe/Berlin (default UTC)" },
        { "noun", "WORD", "lead or customer (default lead)" },
        { "provider", "NAME", "[provider.NAME] of followupd.conf that sends for it" },
        { "postal-address", "TEXT", "for the footer of messages" } },
      "a new account",
      "A customer of ours, with the profiles rep, manager and administrator. Names are unique.\n",
      account_add },
    { "account list", "", 0, 0, true, { { NULL } }, "all accounts", "", account_list },
    { "user add",
      "NAME",
      1,
      1,
      false,
      { { "email", "ADDRESS", "required" },
        { "profile", "NAME", "rep (default), manager, administrator or another of the account" },
        { "phone", "TEXT", "for {{rep.phone}}" } },
      "a person who works in an account",
      "A lead whose rep_email is this address belongs to this user. Example:\n"
      "  followupctl user add \"Rita Rep\" --email rita@acme.example --profile manager\n",
      user_add },
    { "user list", "", 0, 0, false, { { NULL } }, "the account's users", "", user_list },
    { "profile copy",
      "NAME",
      1,
      1,
      false,
      { { "from", "PROFILE", "required: rep, manager, administrator or another of the account" } },
      "a profile with the permissions of another",
      "The built-in ones stay as they are: to let some of the reps stop conversations, copy rep, grant stop to the "
      "copy, "
      "and\n"
      "give it to users. Example:\n"
      "  followupctl profile copy closer --from rep && followupctl profile grant closer stop\n",
      profile_copy },
    { "profile grant",
      "NAME PERMISSION",
      2,
      2,
      false,
      { { "revoke", NULL, "take it away instead" } },
      "what a profile may do",
      "Nobody grants what they lack; a built-in profile is copied first. profile list shows the permissions that there "
      "are.\n",
      profile_grant },
    { "profile list", "", 0, 0, false, { { NULL } }, "the account's profiles", "", profile_list },
    { "assistant add",
      "NAME",
      1,
      1,
      false,
      { { "from-address", "ADDRESS", "required" },
        { "title", "TEXT", "for {{assistant.title}}" },
        { "reply-domain", "DOMAIN", "mail to it comes to us: each message gets a reply address of its own" },
        { "signature", "TEXT", "for {{assistant.signature}}" },
        { "provider", "NAME", "[provider.NAME] that sends what this assistant writes" },
        { "daily-cap", "N", "messages a day" } },
      "the persona who writes",
      "Example:\n  followupctl assistant add Ada --from-address ada@acme.example --title \"Sales assistant\"\n",
      assistant_add },
    { "assistant list", "", 0, 0, false, { { NULL } }, "the account's assistants", "", assistant_list },
    { NULL },
};
