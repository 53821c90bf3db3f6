#include "followupd/command/table.h"

#include <criterion/criterion.h>
#include <string.h>

#include "followupd/base/list.h"

static struct err problem;
static struct command_call call;

Test(table, a_command_becomes_a_call_of_its_function_with_typed_parameters)
{
    struct command_argument given[] = { { "note", "it's \"fine\"" }, { "leads", "{17,18}" }, { "account", "1" } };
    cr_assert_eq(command_call_make(command_find("skip"), given, COUNT_OF(given), &call, &problem), OK, "%s",
                 problem.text);
    cr_assert_str_eq(call.sql, "SELECT * FROM followup.skip_to_follow_up(p_account => $1::bigint, "
                               "p_leads => $2::bigint[], p_note => $3::text)");
    cr_assert_eq(call.values_count, 3);
    cr_assert_str_eq(call.values[0], "1");
    cr_assert_str_eq(call.values[1], "{17,18}");
    cr_assert_str_eq(call.values[2], "it's \"fine\"");
}

Test(table, what_is_missing_unknown_or_of_another_type_is_named)
{
    static const struct {
        const char *verb;
        struct command_argument given[2];
        const char *message;
    } cases[] = {
        { "stop", { { "account", "1" } }, "stop: leads is missing" },
        { "stop", { { "account", "1" }, { "lead", "1" } }, "stop takes no lead" },
        { "stop", { { "account", "one" }, { "leads", "{}" } }, "stop: account: \"one\" is not an id (a whole number)" },
        { "stop", { { "account", "1" }, { "leads", "{1,}" } }, "stop: leads: \"{1,}\" is not a list of ids" },
        { "stop", { { "account", "1" }, { "leads", "1,2" } }, "stop: leads: \"1,2\" is not a list of ids" },
        { "stop",
          { { "account", "1234567890123456789" } },
          "stop: account: \"1234567890123456789\" is not an id (a whole number)" },
        { "lead list", { { "account", "1" }, { "limit", "-1" } }, "lead list: limit: \"-1\" is not a whole number" },
        { "account add", { { "name", NULL } }, "account add: name is missing" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t count = cases[i].given[1].name != NULL ? 2 : 1;
        cr_assert_eq(command_call_make(command_find(cases[i].verb), cases[i].given, count, &call, &problem), E_INVALID);
        cr_assert_str_eq(problem.text, cases[i].message);
    }
}

Test(table, every_command_fits_with_all_its_parameters)
{
    static const char *const samples[] = {
        [COMMAND_ID] = "1",        [COMMAND_IDS] = "{1}", [COMMAND_NUMBER] = "1", [COMMAND_FLAG] = "true",
        [COMMAND_INSTANT] = "now", [COMMAND_TEXT] = "x",  [COMMAND_JSON] = "{}"
    };
    for (size_t i = 0; i < commands_count; i++) {
        struct command_argument given[COMMAND_PARAMETERS_MAX];
        size_t count = 0;
        for (; count < COMMAND_PARAMETERS_MAX && commands[i].parameters[count].name != NULL; count++)
            given[count] = (struct command_argument){ commands[i].parameters[count].name,
                                                      samples[commands[i].parameters[count].type] };
        cr_assert_lt(count, COMMAND_PARAMETERS_MAX, "%s has no room for its end", commands[i].verb);
        cr_assert_eq(command_call_make(&commands[i], given, count, &call, &problem), OK, "%s", problem.text);
        cr_assert_eq(call.sql[strlen(call.sql) - 1], ')', "%s is cut", commands[i].verb);
        cr_assert_eq(command_find(commands[i].verb), &commands[i]);
    }
    cr_assert_null(command_find("explode"));
}
