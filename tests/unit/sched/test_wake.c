#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "followupd/sched/wake.h"

static char told[2000];

#define ADD(...) snprintf(told + strlen(told), sizeof told - strlen(told), __VA_ARGS__)

static void on_set(void *arg, struct message_ref ref, struct wall due)
{
    (void)arg;
    ADD("set %lld %lld %lld;", (long long)ref.account_id, (long long)ref.message_id, (long long)due.us);
}
static void on_cancel(void *arg, struct message_ref ref)
{
    (void)arg;
    ADD("cancel %lld %lld;", (long long)ref.account_id, (long long)ref.message_id);
}
static void on_reload(void *arg, int64_t account_id)
{
    (void)arg;
    ADD("reload %lld;", (long long)account_id);
}

static enum status parse(const char *payload)
{
    struct wake_events events = { NULL, on_set, on_cancel, on_reload };
    struct err e;
    told[0] = '\0';
    return wake_parse(payload, &events, &e);
}

Test(wake, each_message_is_told_in_order)
{
    cr_assert_eq(parse("m 1 17 1700000000123456,1 18 -,9223372036854775807 -5 -1"), OK);
    cr_assert_str_eq(told, "set 1 17 1700000000123456;cancel 1 18;set 9223372036854775807 -5 -1;");
}

Test(wake, a_reload_names_an_account_or_everything)
{
    cr_assert_eq(parse("r 42"), OK);
    cr_assert_str_eq(told, "reload 42;");
    cr_assert_eq(parse("r *"), OK);
    cr_assert_str_eq(told, "reload 0;");
}

Test(wake, garbage_is_refused)
{
    const char *const bad[] = { "",
                                "m",
                                "m ",
                                "m 1",
                                "m 1 2",
                                "m 1 2 ",
                                "m 1 2 x",
                                "m 1 2 3,",
                                "m 1 2 3 4",
                                "m 1 2 3;",
                                "m  1 2 3",
                                "m +1 2 3",
                                "m 1 2 -,",
                                "m 1 2 --1",
                                "r",
                                "r ",
                                "r x",
                                "r 1 ",
                                "r **",
                                "r 0",
                                "x 1",
                                "r 1,2",
                                "m 1 2 3\n",
                                "M 1 2 3",
                                "m 1,2,3",
                                "m 0x1 2 3",
                                "m 1 2 3.5",
                                "m 99999999999999999999 2 3",
                                "m 1 2 99999999999999999999" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(parse(bad[i]), E_INVALID, "'%s' was understood", bad[i]);
}

Test(wake, what_stands_before_the_fault_is_told)
{
    cr_assert_eq(parse("m 1 2 3,4 5 six,7 8 9"), E_INVALID);
    cr_assert_str_eq(told, "set 1 2 3;");
}

Test(wake, a_refusal_shows_the_beginning_only)
{
    char payload[4000];
    struct wake_events events = { NULL, on_set, on_cancel, on_reload };
    struct err e;
    memset(payload, 'x', sizeof payload - 1);
    payload[sizeof payload - 1] = '\0';
    cr_assert_eq(wake_parse(payload, &events, &e), E_INVALID);
    cr_assert_lt(strlen(e.text), 200);
}
