#include <criterion/criterion.h>
#include <string.h>

#include "followupd/base/outcome.h"
#include "followupd/base/status.h"

Test(status, every_status_has_a_text)
{
#define X(name, number, text)                                                                                          \
    cr_assert_eq((int)name, number);                                                                                   \
    cr_assert_str_eq(status_text(name), text);
    STATUS_MAP(X)
#undef X
    cr_assert_str_eq(status_text((enum status) - 1000), "unknown status");
}

Test(status, err_set_returns_its_status_and_cuts_at_the_limit)
{
    struct err e;
    char big[2 * ERR_BYTES_MAX];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    cr_assert_eq(err_set(&e, E_IO, "%s: %d", "file", 7), E_IO);
    cr_assert_str_eq(e.text, "file: 7");
    cr_assert_eq(err_set(&e, E_LIMIT, "%s", big), E_LIMIT);
    cr_assert_eq(strlen(e.text), ERR_BYTES_MAX - 1);
    cr_assert_eq(err_set(NULL, E_GONE, "%s", big), E_GONE);
}

Test(status, err_prefix_puts_where_before_what)
{
    struct err e;
    char big[2 * ERR_BYTES_MAX];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    (void)err_set(&e, E_INVALID, "no such unit");
    cr_assert_eq(err_prefix(&e, E_INVALID, "line %d", 3), E_INVALID);
    cr_assert_eq(err_prefix(&e, E_INVALID, "a.conf"), E_INVALID);
    cr_assert_str_eq(e.text, "a.conf: line 3: no such unit");
    cr_assert_eq(err_prefix(&e, E_INVALID, "%s", big), E_INVALID);
    cr_assert_eq(strlen(e.text), ERR_BYTES_MAX - 1);
    cr_assert_eq(err_prefix(NULL, E_IO, "x"), E_IO);
}

Test(outcome, labels_are_those_of_sql)
{
    cr_assert_str_eq(outcome_label(OUTCOME_SENT), "sent");
    cr_assert_str_eq(outcome_label(OUTCOME_REJECTED), "rejected");
    cr_assert_str_eq(outcome_label(OUTCOME_RETRY), "retry");
    cr_assert_str_eq(outcome_label(OUTCOME_IN_DOUBT), "in_doubt");
}
